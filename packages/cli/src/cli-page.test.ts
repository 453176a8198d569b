/** docs/cli.md mentions everything that the commands can do, so that it cannot fall behind them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FlagDefinition } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { answeredVerbs, funcVerbs } from './func/verbs.ts';
import { commands } from './registry.ts';
import { functionTemplates } from './scaffold/function-templates.ts';

const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

/** The page cut at its headings: heading to text. */
const sections = new Map(
  page.split(/^(?=#+ )/m).map((part): [string, string] => [/^#+ (.*)$/m.exec(part)?.[1] ?? '', part]),
);

function sectionAbout(title: string): string {
  const found = [...sections].find(([heading]) => heading.split(', ').includes(title));
  if (found === undefined) throw new Error(`docs/cli.md has no section '${title}'`);
  return found[1];
}

/** The words in code quotes, without values: `--port N` is `--port`. */
function spelled(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/`(-[^`\s=]*)/g)].map(([, word = '']) => word));
}

const isVisible = ([, { hidden }]: [string, FlagDefinition]): boolean => hidden !== true;

describe('docs/cli.md', () => {
  it.each(commands.map(({ name }) => name))('explains switchyard %s', (name) => {
    expect(sectionAbout(`switchyard ${name}`).length).toBeGreaterThan(60);
  });

  it.each(commands.filter(({ name }) => name !== 'config'))('spells every flag of switchyard $name', (command) => {
    const visible = Object.entries(command.flags).filter(isVisible);
    const known = visible.flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
    // The flags of all commands for a running platform are said once.
    const shared = 'endpoint' in command.flags ? spelled(sectionAbout('A running platform')) : [];
    const words = new Set([...spelled(sectionAbout(`switchyard ${command.name}`)), ...shared]);
    for (const flag of known) expect(words).toContain(flag);
  });

  it.each(funcVerbs)('spells every flag of func $names', ({ names, flags }) => {
    const [name = ''] = names;
    // The folder and the language are said once, for all verbs.
    const words = new Set([...spelled(sectionAbout(`func ${name}`)), ...spelled(sectionAbout('func start'))]);
    for (const [flag, { short }] of Object.entries(flags)) {
      expect(words).toContain(`--${flag}`);
      if (short !== undefined) expect(words).toContain(`-${short}`);
    }
    for (const spelling of names) expect(page).toContain(`func ${spelling}`);
  });

  it('names no flag that nobody has', () => {
    const all = [...commands.map(({ flags }) => flags), ...funcVerbs.map(({ flags }) => flags)];
    const names = all.flatMap((flags) => Object.entries(flags));
    const known = new Set(
      names.flatMap(([name, { short }]) => [`--${name}`, `-${short}`]).concat('--help', '--version'),
    );
    for (const word of spelled(page)) expect(known).toContain(word);
  });

  it('names every trigger, every verb that is answered, and every exit code', () => {
    for (const { trigger } of functionTemplates) expect(sectionAbout('switchyard new')).toContain(`\`${trigger}\``);
    for (const { name, isDone } of answeredVerbs)
      expect(sectionAbout('func')).toContain(isDone ? `func ${name}` : `\`${name}\``);
    for (const { code, meaning } of Object.values(exitCodes))
      expect(sectionAbout('Exit codes')).toContain(`| ${code} | ${meaning} |`);
  });
});
