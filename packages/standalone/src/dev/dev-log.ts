import type { Clock, Log, LogFields, LogLevel } from '@switchyard/kernel';
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
import type { CurrentApplications } from '../application/current-applications.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import { showAwaitedLines } from '../output/awaited-lines.ts';

export interface DevLogOptions {
  readonly output: 'text' | 'json';
  /** Shows the host's own lines from Debug on. */
  readonly verbose: boolean;
  readonly applications: Pick<CurrentApplications, 'all'>;
  readonly console: TextSink & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The category of what `switchyard dev` tells about itself: always shown. */
export const devCategory = 'Host.Dev';

/** The log of `switchyard dev`: each app's lines pass the levels of its own host.json. */
export async function openDevLog(clock: Clock, options: DevLogOptions): Promise<Log> {
  const { applications, console: sink, environment } = options;
  const isWanted = createFilter(applications, options.verbose);
  const category = devCategory;
  if (options.output === 'json')
    return showAwaitedLines(await openJsonLog({ clock, sink }, isWanted), { category, bare: false });
  const colors = wantsColors(sink.isTTY === true, environment);
  const text = createConsoleLog({ clock, sink }, { colors, showApplication: applications.all.length > 1, isWanted });
  return showAwaitedLines(text, { category, bare: true });
}

function createFilter(applications: Pick<CurrentApplications, 'all'>, verbose: boolean): RecordFilter {
  const fallback = verbose ? (): MinimumLevel => 'debug' : developmentLevel;
  const platformFilter = createLevelFilter({ levels: new Map(), fallback });
  const filtersOf = (all: readonly LoadedApplication[]): ReadonlyMap<unknown, LevelFilter> =>
    new Map(
      all.map(({ applicationId, host }) => [
        applicationId,
        createLevelFilter({ levels: host.logging.logLevel, fallback }),
      ]),
    );
  let seen = applications.all;
  let filters = filtersOf(seen);
  return (level: LogLevel, { applicationId, category }: LogFields) => {
    if (applications.all !== seen) {
      seen = applications.all;
      filters = filtersOf(seen);
    }
    const filter = filters.get(applicationId) ?? platformFilter;
    return category === devCategory || filter(typeof category === 'string' ? category : '', level);
  };
}
