/** host.json: how an app wants its host to behave, every value resolved. */

import { ConfigSection } from './config-section.ts';
import { modelErrors } from './errors.ts';
import type { RetryPolicy } from './function-metadata.ts';
import { type HostExtensions, parseHostExtensions } from './host-json-extensions.ts';
import { type ApplicationInsightsSettings, parseApplicationInsights } from './host-json-insights.ts';
import { applyHostJsonOverrides } from './host-json-overrides.ts';
import { describeValue, isJsonObject, type JsonObject, readKey } from './json-text.ts';
import { parseRetryJson } from './retry-policy.ts';

/** A fully resolved host.json. Durations in milliseconds. */
export interface HostJson {
  /** Undefined: an invocation may take for ever. */
  readonly functionTimeoutMs: number | undefined;
  /** The only functions to run, or undefined for all. */
  readonly functions: readonly string[] | undefined;
  readonly fileWatchingEnabled: boolean;
  readonly watchDirectories: readonly string[];
  readonly watchFiles: readonly string[];
  readonly healthMonitor: HealthMonitorSettings;
  readonly singleton: SingletonSettings;
  readonly logging: LoggingSettings;
  readonly aggregator: AggregatorSettings;
  readonly concurrency: ConcurrencySettings;
  readonly retry: RetryPolicy | undefined;
  readonly customHandler: CustomHandlerSettings | undefined;
  readonly managedDependencyEnabled: boolean;
  readonly extensionBundle: { readonly id: string; readonly version: string } | undefined;
  readonly telemetryMode: string;
  readonly metadataProviderTimeoutMs: number;
  readonly sendCanceledInvocationsToWorker: boolean;
  readonly extensions: HostExtensions;
  /** Every section of `extensions` as it stands, overrides applied, by its name in lower case: for kinds beyond the known ones. */
  readonly extensionSections: ReadonlyMap<string, JsonObject>;
  /** Unknown keys and doubtful values, one line each. */
  readonly warnings: readonly string[];
}

/** How the results of functions are added up. */
export interface AggregatorSettings {
  readonly isEnabled: boolean;
  /** So many results end a sum before its time. */
  readonly batchSize: number;
  readonly flushTimeoutMs: number;
}

/** How many events of a function may be in work at once, when that is found out while it runs. */
export interface ConcurrencySettings {
  readonly dynamicConcurrencyEnabled: boolean;
  readonly snapshotPersistenceEnabled: boolean;
  readonly maximumFunctionConcurrency: number;
  /** The part of the host's time or processors from which on it has too much to do. */
  readonly cpuThreshold: number;
  /** What the host may use of memory; undefined where the app leaves that to the host. */
  readonly totalAvailableMemoryBytes: number | undefined;
  /** The part of that memory from which on there is too little of it. */
  readonly memoryThreshold: number;
}

export interface HealthMonitorSettings {
  readonly enabled: boolean;
  readonly healthCheckIntervalMs: number;
  readonly healthCheckWindowMs: number;
  readonly healthCheckThreshold: number;
  readonly counterThreshold: number;
}

export interface SingletonSettings {
  readonly lockPeriodMs: number;
  readonly listenerLockPeriodMs: number;
  readonly listenerLockRecoveryPollingIntervalMs: number;
  /** Undefined: wait for ever. */
  readonly lockAcquisitionTimeoutMs: number | undefined;
  readonly lockAcquisitionPollingIntervalMs: number;
}

/** A level of host.json, lowest first; `none` silences. */
export type HostLogLevel = (typeof hostLogLevels)[number];

export interface LoggingSettings {
  readonly fileLoggingMode: 'never' | 'debugOnly' | 'always';
  /** By category prefix as written; `default` among them. */
  readonly logLevel: ReadonlyMap<string, HostLogLevel>;
  readonly consoleEnabled: boolean;
  readonly applicationInsights: ApplicationInsightsSettings;
}

export interface CustomHandlerSettings {
  readonly defaultExecutablePath: string;
  readonly defaultWorkerPath: string;
  readonly arguments: readonly string[];
  readonly workerArguments: readonly string[];
  readonly workingDirectory: string;
  /** Also true for `enableProxyingHttpRequest`, which asks for the same in newer files. */
  readonly enableForwardingHttpRequest: boolean;
  /** Where the handler listens; undefined for any free port. */
  readonly port: number | undefined;
  readonly initializationTimeoutMs: number;
  readonly http: JsonObject;
}

/** What the defaults depend on. */
export interface HostJsonScope {
  /** Names the file in errors. */
  readonly where: string;
  /** App settings; those that start with `AzureFunctionsJobHost__` override the file. */
  readonly settings?: Iterable<readonly [name: string, value: string]>;
  /** AZURE_FUNCTIONS_ENVIRONMENT is Development. */
  readonly development: boolean;
  /** Processors of the machine, for limits that grow with them. */
  readonly cpus: number;
}

const second = 1_000;
const minute = 60_000;
const hostLogLevels = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;

/** The one schema version there is. */
const schemaVersion = '2.0';

/** Sections that version 1 had at the top. */
const movedSections = new Set(['http', 'queues', 'blobs', 'servicebus', 'eventhub', 'eventhubs', 'cosmosdb', 'kafka']);

/**
 * Resolves the parsed JSON of host.json (undefined when the app has none).
 * @throws PlatformError HOST_JSON_VERSION, HOST_JSON_INVALID with everything that is wrong
 */
export function parseHostJson(source: unknown, scope: HostJsonScope): HostJson {
  const root = applyHostJsonOverrides(checkShape(source, scope.where), scope.settings ?? []);
  const findings = { problems: [] as string[], warnings: [] as string[] };
  const section = new ConfigSection('', root, findings);
  const parsed = parseRoot(section, scope);
  if (findings.problems.length > 0) {
    throw modelErrors.create('HOST_JSON_INVALID', { where: scope.where, problems: findings.problems.join(' ') });
  }
  return { ...parsed, warnings: findings.warnings };
}

function checkShape(source: unknown, where: string): JsonObject {
  if (source === undefined) return { version: schemaVersion };
  if (!isJsonObject(source)) {
    throw modelErrors.create('HOST_JSON_INVALID', { where, problems: 'The file must hold a JSON object.' });
  }
  // As in the official host an empty object stands for the default file.
  if (Object.keys(source).length === 0) return { version: schemaVersion };
  const version = readKey(source, 'version');
  if (version === schemaVersion) return source;
  throw modelErrors.create('HOST_JSON_VERSION', {
    where,
    version: version === undefined ? 'missing' : describeValue(version),
  });
}

function parseRoot(root: ConfigSection, scope: HostJsonScope): Omit<HostJson, 'warnings'> {
  root.ignore('version', '$schema', 'tracing', 'id');
  const extensions = root.section('extensions');
  const parsed: Omit<HostJson, 'warnings'> = {
    functionTimeoutMs: parseFunctionTimeout(root),
    functions: root.strings('functions'),
    fileWatchingEnabled: root.boolean('fileWatchingEnabled', true),
    watchDirectories: root.strings('watchDirectories') ?? ['node_modules'],
    watchFiles: root.strings('watchFiles') ?? ['host.json', 'function.json', 'proxies.json'],
    healthMonitor: parseHealthMonitor(root.section('healthMonitor')),
    singleton: parseSingleton(root.section('singleton'), scope.development),
    logging: parseLogging(root.section('logging'), scope.development),
    aggregator: parseAggregator(root.section('aggregator')),
    concurrency: parseConcurrency(root.section('concurrency')),
    retry: parseRetry(root, scope.where),
    customHandler: parseCustomHandler(root),
    managedDependencyEnabled: parseManagedDependency(root.section('managedDependency')),
    extensionBundle: parseExtensionBundle(root),
    telemetryMode: root.string('telemetryMode', ''),
    metadataProviderTimeoutMs: root.timeSpanMs('metadataProviderTimeout', 30 * second, { minimum: second }),
    sendCanceledInvocationsToWorker: root.boolean('sendCanceledInvocationsToWorker', true),
    extensionSections: new Map(
      extensions.entries().flatMap(([name, value]) => (isJsonObject(value) ? [[name.toLowerCase(), value]] : [])),
    ),
    extensions: parseHostExtensions(extensions, scope),
  };
  root.warnAboutRest((name) => (movedSections.has(name) ? '; it belongs below "extensions"' : ''));
  return parsed;
}

function parseFunctionTimeout(root: ConfigSection): number | undefined {
  if (root.is('functionTimeout', '-1')) {
    root.ignore('functionTimeout');
    return undefined;
  }
  return root.timeSpanMs('functionTimeout', 30 * minute, { minimum: second });
}

function parseHealthMonitor(section: ConfigSection): HealthMonitorSettings {
  const parsed = {
    enabled: section.boolean('enabled', true),
    healthCheckIntervalMs: section.timeSpanMs('healthCheckInterval', 10 * second, { minimum: second }),
    healthCheckWindowMs: section.timeSpanMs('healthCheckWindow', 2 * minute, { minimum: second }),
    healthCheckThreshold: section.integer('healthCheckThreshold', 6, { minimum: 1 }),
    counterThreshold: section.number('counterThreshold', 0.8, { minimum: 0, maximum: 1 }),
  };
  section.warnAboutRest();
  return parsed;
}

function parseSingleton(section: ConfigSection, development: boolean): SingletonSettings {
  const period = { minimum: 15 * second, maximum: minute };
  const listenerPeriodMs = development ? 15 * second : minute;
  const parsed = {
    lockPeriodMs: section.timeSpanMs('lockPeriod', 15 * second, period),
    listenerLockPeriodMs: section.timeSpanMs('listenerLockPeriod', listenerPeriodMs, period),
    listenerLockRecoveryPollingIntervalMs: section.timeSpanMs('listenerLockRecoveryPollingInterval', minute, {
      minimum: 15 * second,
    }),
    lockAcquisitionTimeoutMs: section.optionalTimeSpanMs('lockAcquisitionTimeout', { minimum: 0 }),
    lockAcquisitionPollingIntervalMs: section.timeSpanMs('lockAcquisitionPollingInterval', 5 * second, { minimum: 1 }),
  };
  section.warnAboutRest();
  return parsed;
}

function parseLogging(section: ConfigSection, development: boolean): LoggingSettings {
  const console = section.section('console');
  const parsed = {
    fileLoggingMode: section.choice('fileLoggingMode', ['never', 'debugOnly', 'always'], 'debugOnly'),
    logLevel: parseLevels(section.section('logLevel')),
    consoleEnabled: console.boolean('isEnabled', development),
    applicationInsights: parseApplicationInsights(section.section('applicationInsights'), parseLevels),
  };
  console.ignore('disableColors');
  console.warnAboutRest();
  section.warnAboutRest();
  return parsed;
}

function parseLevels(section: ConfigSection): ReadonlyMap<string, HostLogLevel> {
  return new Map(section.entries().map(([name]) => [name, section.choice(name, hostLogLevels, 'information')]));
}

function parseAggregator(section: ConfigSection): HostJson['aggregator'] {
  const parsed = {
    isEnabled: section.boolean('isEnabled', true),
    batchSize: section.integer('batchSize', 1_000, { minimum: 1 }),
    flushTimeoutMs: section.timeSpanMs('flushTimeout', 30 * second, { minimum: second, maximum: 5 * minute }),
  };
  section.warnAboutRest();
  return parsed;
}

function parseConcurrency(section: ConfigSection): HostJson['concurrency'] {
  const totalBytes = section.integer('totalAvailableMemoryBytes', -1, { minimum: -1 });
  const parsed = {
    dynamicConcurrencyEnabled: section.boolean('dynamicConcurrencyEnabled', false),
    snapshotPersistenceEnabled: section.boolean('snapshotPersistenceEnabled', true),
    maximumFunctionConcurrency: section.integer('maximumFunctionConcurrency', 500, { minimum: 1 }),
    cpuThreshold: section.number('cpuThreshold', 0.8, { minimum: 0, maximum: 1 }),
    totalAvailableMemoryBytes: totalBytes > 0 ? totalBytes : undefined,
    memoryThreshold: section.number('memoryThreshold', 0.8, { minimum: 0, maximum: 1 }),
  };
  section.warnAboutRest();
  return parsed;
}

function parseRetry(root: ConfigSection, where: string): RetryPolicy | undefined {
  const value = root.object('retry');
  return value === undefined ? undefined : parseRetryJson(value, where);
}

/** `httpWorker` is the name that custom handlers had before. */
function parseCustomHandler(root: ConfigSection): CustomHandlerSettings | undefined {
  const key = root.has('customHandler') ? 'customHandler' : 'httpWorker';
  root.ignore('customHandler', 'httpWorker');
  if (!root.has(key)) return undefined;
  const section = root.section(key);
  const description = section.section('description');
  const parsed = {
    defaultExecutablePath: description.string('defaultExecutablePath', ''),
    defaultWorkerPath: description.string('defaultWorkerPath', ''),
    arguments: description.strings('arguments') ?? [],
    workerArguments: description.strings('workerArguments') ?? [],
    workingDirectory: description.string('workingDirectory', ''),
    enableForwardingHttpRequest: ['enableForwardingHttpRequest', 'enableProxyingHttpRequest']
      .map((name) => section.boolean(name, false))
      .includes(true),
    port: section.optionalInteger('port', { minimum: 1, maximum: 65_535 }),
    initializationTimeoutMs: section.timeSpanMs('initializationTimeout', 30 * second, { minimum: second }),
    http: section.object('http') ?? {},
  };
  if (parsed.defaultExecutablePath === '') {
    description.fail('defaultExecutablePath', 'is missing and must name the program to start');
  }
  section.ignore('type');
  description.ignore('langauge', 'language', 'fileExists');
  description.warnAboutRest();
  section.warnAboutRest();
  return parsed;
}

function parseManagedDependency(section: ConfigSection): boolean {
  const enabled = section.boolean('enabled', false);
  section.warnAboutRest();
  return enabled;
}

function parseExtensionBundle(root: ConfigSection): HostJson['extensionBundle'] {
  if (!root.has('extensionBundle')) return undefined;
  const section = root.section('extensionBundle');
  const bundle = { id: section.string('id', ''), version: section.string('version', '') };
  section.ignore('ensureLatest', 'downloadPath');
  section.warnAboutRest();
  return bundle;
}
