/** `logging.applicationInsights` of host.json: what of an app's telemetry goes there, and how much of it. */
import type { ConfigSection } from './config-section.ts';
import type { HostLogLevel } from './host-json.ts';

/** The kinds of telemetry that are sampled, by the names that host.json has for them. */
export type SampledType = (typeof sampledTypes)[number];
const sampledTypes = ['Dependency', 'Event', 'Exception', 'PageView', 'Request', 'Trace'] as const;

export interface ApplicationInsightsSettings {
  /** Undefined: everything is sent. */
  readonly sampling: SamplingSettings | undefined;
  /** `logLevel` of this section, by category prefix as written; each wins over the same one of `logging`. */
  readonly logLevel: ReadonlyMap<string, HostLogLevel>;
}

/** How adaptive sampling finds the share that is sent. Percentages are from 0 to 100. */
export interface SamplingSettings {
  readonly maxTelemetryItemsPerSecond: number;
  readonly evaluationIntervalMs: number;
  readonly initialSamplingPercentage: number;
  readonly samplingPercentageIncreaseTimeoutMs: number;
  readonly samplingPercentageDecreaseTimeoutMs: number;
  readonly minSamplingPercentage: number;
  readonly maxSamplingPercentage: number;
  readonly movingAverageRatio: number;
  /** The types that are sampled; the others are always sent. */
  readonly types: ReadonlySet<SampledType>;
}

const second = 1_000;
const minute = 60_000;
const percent = { minimum: 0, maximum: 100 } as const;

/** Parts of the official library that have no counterpart in a host that sends what it knows of its functions. */
const withoutEffect = [
  'enableLiveMetricsFilters',
  'enableDependencyTracking',
  'dependencyTrackingOptions',
  'enablePerformanceCountersCollection',
  'enableAutocollectedMetricsExtractor',
  'enableSqlCommandTextInstrumentation',
  'httpAutoCollectionOptions',
  'snapshotConfiguration',
  'liveMetricsInitializationDelay',
  'enableMetricsCustomDimensionOptimization',
  'quickPulseAuthenticationApiKey',
  'liveMetricsAuthenticationApiKey',
  'enableStandardMetrics',
] as const;

/** Reads the section; the defaults are those of the official host and of its library. */
export function parseApplicationInsights(
  section: ConfigSection,
  parseLevels: (section: ConfigSection) => ReadonlyMap<string, HostLogLevel>,
): ApplicationInsightsSettings {
  const sampling = parseSampling(section.section('samplingSettings'));
  const logLevel = parseLevels(section.section('logLevel'));
  if (section.boolean('enableLiveMetrics', false)) {
    section.warn('enableLiveMetrics', 'has no effect: telemetry is sent every few seconds, and to no live stream');
  }
  section.ignore(...withoutEffect);
  section.warnAboutRest();
  return { sampling, logLevel };
}

function parseSampling(section: ConfigSection): SamplingSettings | undefined {
  const isEnabled = section.boolean('isEnabled', true);
  const minSamplingPercentage = section.number('minSamplingPercentage', 0.1, percent);
  const parsed = {
    maxTelemetryItemsPerSecond: section.number('maxTelemetryItemsPerSecond', 20, { minimum: 0 }),
    evaluationIntervalMs: section.timeSpanMs('evaluationInterval', 15 * second, { minimum: second }),
    initialSamplingPercentage: section.number('initialSamplingPercentage', 100, percent),
    samplingPercentageIncreaseTimeoutMs: section.timeSpanMs('samplingPercentageIncreaseTimeout', 15 * minute, {
      minimum: 0,
    }),
    samplingPercentageDecreaseTimeoutMs: section.timeSpanMs('samplingPercentageDecreaseTimeout', 2 * minute, {
      minimum: 0,
    }),
    minSamplingPercentage,
    maxSamplingPercentage: Math.max(minSamplingPercentage, section.number('maxSamplingPercentage', 100, percent)),
    movingAverageRatio: section.number('movingAverageRatio', 0.25, { minimum: 0, maximum: 1 }),
    types: parseTypes(section),
  };
  section.warnAboutRest();
  return isEnabled ? parsed : undefined;
}

/** `includedTypes` names those that are sampled, `excludedTypes` those that are not; both are lists with semicolons. */
function parseTypes(section: ConfigSection): ReadonlySet<SampledType> {
  const read = (key: string): ReadonlySet<string> => {
    const words = (section.optionalString(key) ?? '').split(';').map((word) => word.trim().toLowerCase());
    const known = new Set<string>(sampledTypes.map((type) => type.toLowerCase()));
    for (const word of words) {
      if (word !== '' && !known.has(word)) section.warn(key, `names '${word}', and knows ${sampledTypes.join(', ')}`);
    }
    return new Set(words.filter((word) => known.has(word)));
  };
  const included = read('includedTypes');
  const excluded = read('excludedTypes');
  return new Set(
    sampledTypes.filter((type) => {
      const word = type.toLowerCase();
      return !excluded.has(word) && (included.size === 0 || included.has(word));
    }),
  );
}
