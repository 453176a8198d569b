import type { Clock, Log, LogFields, LogLevel } from '@switchyard/kernel';
import type { HostJson } from '@switchyard/model';
import {
  createConsoleLog,
  createLevelFilter,
  developmentLevel,
  type LevelFilter,
  type MinimumLevel,
  openJsonLog,
  type RecordFilter,
  type TextSink,
  wantsColors,
} from '@switchyard/telemetry';

export interface UpLogOptions {
  readonly output: 'text' | 'json';
  readonly console: TextSink & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isWanted: RecordFilter;
}

/** The category of what the installation tells about itself: always shown. */
export const upCategory = 'Host.Up';

/** The console of an installation. */
export async function openUpLog(clock: Clock, options: UpLogOptions): Promise<Log> {
  const { console: sink, environment, isWanted } = options;
  if (options.output === 'json') return await openJsonLog({ clock, sink }, isWanted);
  const colors = wantsColors(sink.isTTY === true, environment);
  return createConsoleLog({ clock, sink }, { colors, showApplication: true, isWanted });
}

export interface AppLevelsOptions {
  /** Shows the host's own lines from Debug on. */
  readonly verbose: boolean;
  /** The host.json of the app's version that serves. */
  readonly hostOf: (applicationId: string) => HostJson | undefined;
}

/** Lets a line pass as the app's own host.json says; lines of no app as a developer wants them. */
export function createAppLevels({ verbose, hostOf }: AppLevelsOptions): RecordFilter {
  const fallback = verbose ? (): MinimumLevel => 'debug' : developmentLevel;
  const platform = createLevelFilter({ levels: new Map(), fallback });
  const filters = new WeakMap<HostJson, LevelFilter>();
  const filterOf = (applicationId: unknown): LevelFilter => {
    const host = typeof applicationId === 'string' ? hostOf(applicationId) : undefined;
    if (host === undefined) return platform;
    const known = filters.get(host);
    if (known !== undefined) return known;
    const made = createLevelFilter({ levels: host.logging.logLevel, fallback });
    filters.set(host, made);
    return made;
  };
  return (level: LogLevel, { applicationId, category }: LogFields) =>
    category === upCategory || filterOf(applicationId)(typeof category === 'string' ? category : '', level);
}
