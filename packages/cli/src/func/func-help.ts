import { columns, exitCodeLines } from '../help-text.ts';
import { type FuncFlag, type FuncVerb, type FuncWord, languageSwitches } from './func-verb.ts';
import { answeredVerbs, funcVerbs } from './verbs.ts';

/** What `func` alone shows. */
export function funcHelp(): string {
  const rows = funcVerbs.map(({ names, summary }): [string, string] => [names[0] ?? '', summary]);
  return [
    "Switchyard's func runs function apps with the command lines of the Azure Functions Core Tools.",
    '',
    'Usage: func <verb> [flags]',
    '',
    'Verbs:',
    ...columns(rows),
    '',
    "'func <verb> --help' tells more about one of them. 'func --version' prints the version it stands for.",
    `Not supported: ${answeredVerbs
      .filter(({ isDone }) => !isDone)
      .map(({ name }) => name)
      .join(', ')}.`,
    '',
    'Exit codes:',
    ...exitCodeLines(),
    '',
  ].join('\n');
}

/** The help of one verb: the flags that do something, then those that are accepted. */
export function funcVerbHelp({ names, summary, positionals = [], flags }: FuncVerb): string {
  const entries = Object.entries(flags);
  const ignored = entries.filter(([, flag]) => flag.ignored).map(([name]) => `--${name}`);
  const shown = entries.filter(([name, flag]) => !flag.ignored && !Object.hasOwn(languageSwitches, name));
  const switches = Object.keys(languageSwitches).filter((name) => Object.hasOwn(flags, name));
  return [
    summary,
    '',
    `Usage: func ${[names[0], ...positionals.map(placeOf), '[flags]'].join(' ')}`,
    ...(names.length === 1
      ? []
      : [
          `Or:    ${names
            .slice(1)
            .map((name) => `func ${name}`)
            .join(', ')}`,
        ]),
    ...(positionals.length === 0
      ? []
      : ['', ...columns(positionals.map((word) => [word.name, word.summary] as const))]),
    '',
    'Flags:',
    ...columns([
      ...shown.map(([name, flag]) => [spelling(name, flag), flag.summary] as const),
      ['-h, --help', 'shows this'],
    ]),
    '',
    ...(switches.length === 0 ? [] : [`The app's language: ${switches.map((name) => `--${name}`).join(', ')}.`]),
    ...(ignored.length === 0 ? [] : [`Accepted without effect: ${ignored.join(', ')}.`, '']),
  ].join('\n');
}

function placeOf({ name, isRequired }: FuncWord): string {
  return isRequired ? `<${name}>` : `[${name}]`;
}

function spelling(name: string, { short, takes, placeholder = 'VALUE' }: FuncFlag): string {
  const dash = short === undefined ? '    ' : `-${short}, `;
  return takes === 'nothing' ? `${dash}--${name}` : `${dash}--${name} ${placeholder}`;
}
