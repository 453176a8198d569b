import type { Command, FlagDefinition, FlagSet, PositionalDefinition } from './command.ts';
import { exitCodes } from './exit-codes.ts';

/** The help of the whole program, from the registry. */
export function programHelp(commands: readonly Command[]): string {
  return [
    'Switchyard runs Azure Functions apps on this machine.',
    '',
    'Usage: switchyard <command> [flags]',
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    "'switchyard <command> --help' tells more about one of them.",
    '',
    'Exit codes:',
    ...exitCodeLines(),
    '',
  ].join('\n');
}

/** One line per exit code. */
export function exitCodeLines(): string[] {
  return columns(Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]));
}

/** The help of one command, from its data; `program` is what the user types before the command's name. */
export function commandHelp(command: Command, program = 'switchyard'): string {
  const { positional, examples } = command;
  const words = positional === undefined ? '' : (positional.usage ?? optional(positional));
  // What stands behind two dashes is another program's, flags too.
  const [, own = '', foreign = ''] = /^(.*?)(\[?-- .*)?$/.exec(words) ?? [];
  const usage = [
    `${program} ${command.name}`,
    own.trim(),
    visibleFlags(command.flags).length === 0 ? '' : '[flags]',
    foreign,
  ].filter((part) => part !== '');
  return [
    command.summary,
    '',
    `Usage: ${usage.join(' ')}`,
    ...(positional === undefined ? [] : section(positional.name, [[positional.name, positional.summary]])),
    ...flagSection(command.flags),
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples.map((line) => `  ${line}`)]),
    '',
  ].join('\n');
}

function optional({ name, maximum }: PositionalDefinition): string {
  return `[${name}${maximum > 1 ? ' ...' : ''}]`;
}

/** The flags that the help shows, one line each, `--help` last. */
export function flagSection(flags: FlagSet): string[] {
  return section('Flags', [
    ...visibleFlags(flags).map(([name, flag]): [string, string] => [spelling(name, flag), flag.summary]),
    ['-h, --help', 'shows this'],
  ]);
}

/** Lines of two columns. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function visibleFlags(flags: FlagSet): [string, FlagDefinition][] {
  return Object.entries(flags).filter(([, { hidden }]) => hidden !== true);
}

function spelling(name: string, flag: FlagDefinition): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return flag.kind === 'switch' ? `${short}--${name}` : `${short}--${name} ${flag.placeholder}`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return ['', `${title.slice(0, 1).toUpperCase()}${title.slice(1)}:`, ...columns(rows)];
}
