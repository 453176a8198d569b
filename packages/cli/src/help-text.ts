import type { Command, FlagDefinition } from './command.ts';
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
    ...columns(Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning])),
    '',
  ].join('\n');
}

/** The help of one command, from its data. */
export function commandHelp(command: Command): string {
  const { positional, examples } = command;
  const visible = Object.entries(command.flags).filter(([, { hidden }]) => hidden !== true);
  const many = positional !== undefined && positional.maximum > 1 ? ' ...' : '';
  const usage = [
    `switchyard ${command.name}`,
    positional === undefined ? '' : ` [${positional.name}${many}]`,
    visible.length === 0 ? '' : ' [flags]',
  ];
  return [
    command.summary,
    '',
    `Usage: ${usage.join('')}`,
    ...(positional === undefined ? [] : section(positional.name, [[positional.name, positional.summary]])),
    ...section('Flags', [
      ...visible.map(([name, flag]): [string, string] => [spelling(name, flag), flag.summary]),
      ['-h, --help', 'shows this'],
    ]),
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples.map((line) => `  ${line}`)]),
    '',
  ].join('\n');
}

function spelling(name: string, flag: FlagDefinition): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return flag.kind === 'switch' ? `${short}--${name}` : `${short}--${name} ${flag.placeholder}`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return ['', `${title.slice(0, 1).toUpperCase()}${title.slice(1)}:`, ...columns(rows)];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
