/**
 * Where the values of a configurable command come from, in rising order: switchyard.yaml in the working directory, the
 * environment (`SWITCHYARD_PORT` for `--port`), the command line. One file serves all such commands: each takes what it has
 * a flag for, and passes over what only another one has.
 */
import { delimiter } from 'node:path';
import type {
  Command,
  CommandContext,
  CommandInput,
  FlagDefinition,
  FlagSet,
  FlagValue,
  FlagValues,
} from '../command.ts';
import { cliErrors } from '../errors.ts';
import type { GivenArguments } from '../parse-arguments.ts';
import { readValue } from '../read-value.ts';
import { nearest } from '../suggestion.ts';
import { configurationFileName, readConfigurationFile } from './configuration-file.ts';

/** Values of settings by name, with where they come from. */
interface Settings {
  readonly values: Map<string, FlagValue>;
  readonly origins: Map<string, string>;
  positionals: readonly string[];
}

type Source = Pick<CommandContext, 'environment' | 'workingDirectory'>;

/** More than any command takes. */
const maxListed = 100;

/** The variable that stands for a setting. */
export function variableOf(name: string): string {
  return `SWITCHYARD_${name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * What a command gets; `all` are the commands whose settings may stand in the file. Rejects with CONFIGURATION_INVALID, naming
 * the variable or the file and its line.
 */
export async function resolveInput<Flags extends FlagSet>(
  command: Command<Flags>,
  { positionals, given }: GivenArguments,
  source: Source,
  all: readonly Command[],
): Promise<CommandInput<Flags>> {
  const settings: Settings = { values: new Map(), origins: new Map(), positionals: [] };
  if (command.configurable === true) {
    takeFile(command, settings, await readConfigurationFile(source.workingDirectory), new Set(all.flatMap(namesOf)));
    takeEnvironment(command, settings, source.environment);
  }
  for (const [name, value] of given) {
    settings.values.set(name, value);
    settings.origins.set(name, `--${name}`);
  }
  if (positionals.length > 0) {
    settings.positionals = positionals;
    settings.origins.set(command.positional?.setting ?? '', 'the command line');
  }
  const flags = Object.entries(command.flags).map(([name, definition]) => [
    name,
    settings.values.get(name) ?? (definition.kind === 'switch' ? false : undefined),
  ]);
  // Every value was read as its flag's kind wants it, which is what the type says.
  const typed = Object.fromEntries(flags) as FlagValues<Flags>;
  return { positionals: settings.positionals, flags: typed, origins: settings.origins };
}

/** The settings of a command: its flags, but for those that nobody should find. */
export function settingsOf(command: Command): readonly (readonly [name: string, definition: FlagDefinition])[] {
  return Object.entries(command.flags).filter(([, { hidden }]) => hidden !== true);
}

/** The names that a command takes from the file. */
function namesOf(command: Command): readonly string[] {
  if (command.configurable !== true) return [];
  const listed = command.positional?.setting;
  return [...(listed === undefined ? [] : [listed]), ...settingsOf(command).map(([name]) => name)];
}

function takeFile(
  command: Command,
  settings: Settings,
  file: ReadonlyMap<unknown, unknown>,
  known: ReadonlySet<string>,
): void {
  const definitions = new Map(settingsOf(command));
  const listed = command.positional?.setting;
  for (const [key, value] of file) {
    const name = String(key);
    const where = `${name} in ${configurationFileName}`;
    const definition = definitions.get(name);
    if (value === null) continue;
    if (listed !== undefined && name === listed) settings.positionals = readList(where, value);
    else if (definition === undefined) {
      if (known.has(name)) continue;
      throw unknownSetting(name, command);
    } else settings.values.set(name, read(where, definition, value));
    settings.origins.set(name, configurationFileName);
  }
}

function takeEnvironment(command: Command, settings: Settings, environment: Source['environment']): void {
  for (const [name, definition] of settingsOf(command)) {
    const variable = variableOf(name);
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    settings.values.set(name, read(variable, definition, text));
    settings.origins.set(name, variable);
  }
  const listed = command.positional?.setting;
  const text = listed === undefined ? undefined : environment[variableOf(listed)];
  if (listed === undefined || text === undefined || text === '') return;
  settings.positionals = text.split(delimiter).filter((entry) => entry !== '');
  settings.origins.set(listed, variableOf(listed));
}

function read(where: string, definition: FlagDefinition, value: unknown): FlagValue {
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!isPlain || value === '') throw invalid(where, 'it must be a single value.');
  const reading = readValue(where, definition, String(value));
  if (reading.kind === 'read') return reading.value;
  throw invalid(where, reading.message.replace(`${where} `, 'it '));
}

function readList(where: string, value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  const texts = list.filter((entry) => typeof entry === 'string' && entry !== '');
  if (texts.length === list.length && list.length <= maxListed) return texts;
  throw invalid(where, `it must be a list of at most ${maxListed} folders.`);
}

function unknownSetting(name: string, command: Command): Error {
  const meant = nearest(name, namesOf(command));
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  const problem = `there is no setting '${name.slice(0, 80)}'.${hint} 'switchyard ${command.name} --help' lists all, as flags.`;
  return invalid(configurationFileName, problem);
}

function invalid(where: string, problem: string): Error {
  return cliErrors.create('CONFIGURATION_INVALID', { where, problem });
}
