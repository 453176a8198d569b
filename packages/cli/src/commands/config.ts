import { type Command, type CommandInput, defineCommand, type FlagSet, type FlagValue } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { columns } from '../help-text.ts';
import { resolveInput, settingsOf } from '../settings/resolve-settings.ts';

/** Makes the command that shows what another command would work with; it takes that command's flags. `all` are those of the program. */
export function createConfigCommand(subject: Command, all: () => readonly Command[]): Command {
  return defineCommand({
    name: 'config',
    summary: `Shows the settings of 'switchyard ${subject.name}' and where each comes from.`,
    positional: { name: 'show', summary: 'the only thing to do, also when it is left out', maximum: 1 },
    flags: subject.flags,
    examples: ['switchyard config show', 'switchyard config show --port 8080'],
    async run(input, context) {
      const [action] = input.positionals;
      if (action !== undefined && action !== 'show') {
        context.stderr.write(`'switchyard config' can 'show' and nothing else, so not '${action}'.\n`);
        return exitCodes.usage.code;
      }
      const given = new Map([...input.origins.keys()].flatMap((name) => givenFlag(input, name)));
      const resolved = await resolveInput(subject, { positionals: [], given }, context, all());
      // Whoever gives the flag wants to read this answer so; as a setting it is about what is shown.
      const isForPrograms = input.origins.get('json') === '--json';
      context.stdout.write(isForPrograms ? settingsJson(subject, resolved) : settingsTable(subject, resolved));
      return exitCodes.done.code;
    },
  });
}

function givenFlag({ flags }: CommandInput<FlagSet>, name: string): [string, FlagValue][] {
  const value = Object.hasOwn(flags, name) ? flags[name] : undefined;
  return value === undefined ? [] : [[name, value]];
}

/** Every setting by its name, with its value, null where there is none, and its source. */
function settingsJson(subject: Command, { flags, positionals, origins }: CommandInput<FlagSet>): string {
  const listed = subject.positional?.setting;
  const values: readonly (readonly [string, unknown])[] = [
    ...(listed === undefined ? [] : [[listed, positionals] as const]),
    ...settingsOf(subject).map(([name, { fallback = null }]) => [name, flags[name] ?? fallback] as const),
  ];
  const settings = values.map(([name, value]) => [name, { value, source: origins.get(name) ?? 'default' }] as const);
  return `${JSON.stringify({ settings: Object.fromEntries(settings) })}\n`;
}

/** Name, value and source of every setting. */
function settingsTable(subject: Command, { flags, positionals, origins }: CommandInput<FlagSet>): string {
  const listed = subject.positional?.setting;
  const apps = positionals.length === 0 ? 'the current folder' : positionals.join(' ');
  const values: (readonly [string, string])[] = [
    ...(listed === undefined ? [] : [[listed, apps] as const]),
    ...settingsOf(subject).map(([name, { fallback }]) => [name, String(flags[name] ?? fallback ?? 'none')] as const),
  ];
  const width = Math.max(...values.map(([, value]) => value.length));
  const rows = values.map(
    ([name, value]) => [name, `${value.padEnd(width)}  ${origins.get(name) ?? 'default'}`] as const,
  );
  const order = 'In rising order: defaults, switchyard.yaml of this folder, SWITCHYARD_* variables, flags.';
  return ['Settings:', ...columns(rows), '', order, ''].join('\n');
}
