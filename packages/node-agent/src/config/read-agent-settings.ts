/**
 * Where an agent's settings come from, in rising order: the defaults, a YAML or JSON file, the environment
 * (`SWITCHYARD_AGENT_LIMITS_DEFAULT_MEMORY_MB` for `limits.default.memory_mb`), the command line.
 */
import { agentErrors } from '../errors.ts';
import {
  type AgentSettings,
  agentSettingsSchema,
  defaultAgentSettings,
  findContradiction,
  leavesOf,
  settingPaths,
} from './agent-settings.ts';
import type { SettingsFile } from './read-settings-file.ts';

/** The settings, and where each comes from. */
export interface EffectiveSettings {
  readonly settings: AgentSettings;
  /** By path; what holds by default is not among them. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface SettingsSources {
  /** As `readSettingsFile` gives it. */
  readonly file?: SettingsFile | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Values by path, with the flag that gave them. */
  readonly flags?: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[];
}

const variablePrefix = 'SWITCHYARD_AGENT_';

/** The variable that stands for a setting. */
export function settingVariable(path: string): string {
  return `${variablePrefix}${path.replaceAll('.', '_').toUpperCase()}`;
}

/** Reads and checks. Throws AGENT_CONFIG_INVALID, which names the setting and its source. */
export function readAgentSettings({ file, environment = {}, flags = [] }: SettingsSources): EffectiveSettings {
  const values = new Map(leavesOf(defaultAgentSettings));
  const origins = new Map<string, string>();
  const take = (path: string, value: unknown, origin: string): void => {
    values.set(path, value);
    origins.set(path, origin);
  };
  if (file !== undefined) for (const [path, value] of file.values) take(path, value, file.name);
  for (const path of settingPaths) {
    const variable = settingVariable(path);
    const text = environment[variable];
    if (text !== undefined) take(path, readText(text, values.get(path), defaultAt(path)), variable);
  }
  for (const { path, value, flag } of flags) take(path, value, flag);
  return { settings: check(nest(values), origins), origins };
}

/** Every setting with its value and its source, as a page for people. A token is not shown. */
export function describeSettings({ settings, origins }: EffectiveSettings): string {
  const rows = leavesOf(settings).map(([path, value]) => {
    const shown = path === 'token' && value !== '' ? '***' : JSON.stringify(value);
    return { path, shown, origin: origins.get(path) ?? 'default' };
  });
  const width = (key: 'path' | 'shown'): number => Math.max(...rows.map((row) => row[key].length));
  const [paths, shown] = [width('path'), width('shown')];
  return rows.map((row) => `${row.path.padEnd(paths)}  ${row.shown.padEnd(shown)}  ${row.origin}\n`).join('');
}

/** A text as the setting's own type has it; what does not fit is left to the check. */
function readText(text: string, current: unknown, fallback: unknown): unknown {
  if (Array.isArray(fallback))
    return text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  if (text === '') return typeof fallback === 'string' ? '' : current;
  if (typeof fallback === 'number') return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (typeof fallback === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

const defaults = new Map(leavesOf(defaultAgentSettings));

function defaultAt(path: string): unknown {
  return defaults.get(path);
}

/** `limits.default.cpus` to `{limits: {default: {cpus}}}`; paths are those of the table. */
function nest(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let group = root;
    for (const name of names) {
      const inner = (group[name] ?? {}) as Record<string, unknown>;
      group[name] = inner;
      group = inner;
    }
    group[last] = value;
  }
  return root;
}

function check(values: Record<string, unknown>, origins: ReadonlyMap<string, string>): AgentSettings {
  const invalid = (path: string, problem: string): Error => {
    const origin = origins.get(path);
    const where = origin === undefined ? path : `${path} (${origin})`;
    return agentErrors.create('AGENT_CONFIG_INVALID', { where, problem });
  };
  const parsed = agentSettingsSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const names = issue?.path.map(String) ?? [];
    const path = settingPaths.find((known) => names.join('.').startsWith(known)) ?? names.join('.');
    const value = leavesOf(values).find(([known]) => known === path)?.[1];
    throw invalid(
      path,
      `${path === 'token' ? 'its value' : JSON.stringify(value)} cannot be used: ${issue?.message ?? 'it is invalid'}`,
    );
  }
  const contradiction = findContradiction(parsed.data);
  if (contradiction !== undefined) throw invalid(contradiction.where, contradiction.problem);
  return parsed.data;
}
