import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HostJson, parseHostJson } from './host-json.ts';
import { parseJsonText } from './json-text.ts';

const second = 1_000;
const minute = 60_000;

function parse(source: unknown, settings: Record<string, string> = {}, development = false): HostJson {
  return parseHostJson(source, { where: 'host.json', development, cpus: 4, settings: Object.entries(settings) });
}

const v2 = (rest: object): object => ({ version: '2.0', ...rest });

describe('parseHostJson', () => {
  it('has every default of the official host', () => {
    const host = parse(v2({}));
    expect(host).toMatchObject({
      functionTimeoutMs: 30 * minute,
      functions: undefined,
      fileWatchingEnabled: true,
      watchDirectories: ['node_modules'],
      watchFiles: ['host.json', 'function.json', 'proxies.json'],
      healthMonitor: {
        enabled: true,
        healthCheckIntervalMs: 10 * second,
        healthCheckWindowMs: 2 * minute,
        healthCheckThreshold: 6,
        counterThreshold: 0.8,
      },
      singleton: {
        lockPeriodMs: 15 * second,
        listenerLockPeriodMs: minute,
        listenerLockRecoveryPollingIntervalMs: minute,
        lockAcquisitionTimeoutMs: undefined,
        lockAcquisitionPollingIntervalMs: 5 * second,
      },
      logging: { fileLoggingMode: 'debugOnly', consoleEnabled: false, logLevel: new Map() },
      aggregator: { isEnabled: true, batchSize: 1_000, flushTimeoutMs: 30 * second },
      concurrency: {
        dynamicConcurrencyEnabled: false,
        snapshotPersistenceEnabled: true,
        maximumFunctionConcurrency: 500,
        cpuThreshold: 0.8,
        totalAvailableMemoryBytes: undefined,
        memoryThreshold: 0.8,
      },
      retry: undefined,
      customHandler: undefined,
      managedDependencyEnabled: false,
      extensionBundle: undefined,
      metadataProviderTimeoutMs: 30 * second,
      sendCanceledInvocationsToWorker: true,
      warnings: [],
    });
    expect(host.extensions).toMatchObject({
      http: {
        routePrefix: 'api',
        maxOutstandingRequests: -1,
        maxConcurrentRequests: -1,
        dynamicThrottlesEnabled: false,
      },
      queues: {
        batchSize: 16,
        newBatchThreshold: 32,
        maxPollingIntervalMs: minute,
        maxDequeueCount: 5,
        visibilityTimeoutMs: 0,
        messageEncoding: 'base64',
      },
      blobs: { maxDegreeOfParallelism: 32, poisonBlobThreshold: 5 },
      eventHubs: {
        maxEventBatchSize: 100,
        minEventBatchSize: 1,
        maxWaitTimeMs: minute,
        prefetchCount: 300,
        maxConcurrentCallsPerPartition: 1,
      },
      serviceBus: { maxConcurrentCalls: 64, maxConcurrentSessions: 8, maxAutoLockRenewalDurationMs: 5 * minute },
      kafka: { maxBatchSize: 64, autoCommitIntervalMs: 200 },
      rabbitMQ: { prefetchCount: 30 },
      sql: { maxBatchSize: 100, pollingIntervalMs: 1_000 },
    });
  });

  it('says what of the clients has no effect', () => {
    const client = { webProxy: 'http://me:secret@proxy', clientRetryOptions: { maxRetries: 1, pace: 'slow' } };
    const serviceBus = { prefetchCount: 5, enableCrossEntityTransactions: true, ...client };
    const host = parse(v2({ extensions: { serviceBus, eventHubs: { ...client, customEndpointAddress: 'sb://x' } } }));
    expect(host.warnings.filter((warning) => warning.includes('no effect'))).toEqual([
      expect.stringContaining('"extensions.eventHubs.clientRetryOptions.pace" is not known'),
      expect.stringContaining('"extensions.eventHubs.webProxy" has no effect without'),
      expect.stringContaining('"extensions.serviceBus.clientRetryOptions.pace" is not known'),
      expect.stringContaining('"extensions.serviceBus.prefetchCount" has no effect'),
      expect.stringContaining('"extensions.serviceBus.enableCrossEntityTransactions" has no effect'),
      expect.stringContaining('"extensions.serviceBus.webProxy" has no effect without'),
    ]);
    expect(host.warnings.join()).not.toContain('secret');
    expect(host.extensions.eventHubs).toMatchObject({ customEndpointAddress: 'sb://x', webProxy: client.webProxy });
    expect(host.extensions.serviceBus.clientRetry).toMatchObject({ maxRetries: 1, delayMs: undefined });
  });

  it('has the defaults for an app without the file, and for an empty one', () => {
    expect(parse(undefined)).toEqual(parse(v2({})));
    expect(parse({})).toEqual(parse(v2({})));
  });

  it('has other defaults in development', () => {
    const host = parse(v2({}), {}, true);
    expect(host.extensions.queues.maxPollingIntervalMs).toBe(2 * second);
    expect(host.singleton.listenerLockPeriodMs).toBe(15 * second);
    expect(host.logging.consoleEnabled).toBe(true);
  });

  it('reads what a file says, in any case and with texts for numbers', () => {
    const host = parse(
      v2({
        functionTimeout: '00:05:00',
        functions: ['A', 'B'],
        LOGGING: { logLevel: { default: 'Warning', 'Function.Hello': 'None' }, console: { isEnabled: 'true' } },
        extensions: {
          http: {
            routePrefix: '/v1/',
            customHeaders: { 'X-A': 'b' },
            hsts: { isEnabled: true, maxAge: '10.00:00:00' },
          },
          queues: { batchSize: '8', MaxPollingInterval: '00:00:00.500', messageEncoding: 'NONE' },
          durableTask: { hubName: 'hub' },
        },
        retry: { strategy: 'fixedDelay', maxRetryCount: 3, delayInterval: '00:00:05' },
        extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' },
      }),
    );
    expect(host.functionTimeoutMs).toBe(5 * minute);
    expect(host.functions).toEqual(['A', 'B']);
    expect([...host.logging.logLevel]).toEqual([
      ['default', 'warning'],
      ['Function.Hello', 'none'],
    ]);
    expect(host.logging.consoleEnabled).toBe(true);
    expect(host.extensions.http.routePrefix).toBe('v1');
    expect([...host.extensions.http.customHeaders]).toEqual([['X-A', 'b']]);
    expect(host.extensions.http.hsts).toEqual({ isEnabled: true, maxAgeMs: 10 * 24 * 60 * minute });
    expect(host.extensions.queues).toMatchObject({
      batchSize: 8,
      newBatchThreshold: 16,
      maxPollingIntervalMs: 500,
      messageEncoding: 'none',
    });
    expect(host.extensionSections.get('durabletask')).toEqual({ hubName: 'hub' });
    expect(host.extensionSections.get('queues')).toHaveProperty('batchSize', '8');
    expect(host.retry).toEqual({ strategy: 'fixedDelay', maxRetryCount: 3, delayMs: 5_000 });
    expect(host.extensionBundle?.version).toBe('[4.*, 5.0.0)');
    expect(host.warnings).toEqual([]);
  });

  it('reads an empty prefix and an unlimited timeout', () => {
    expect(parse(v2({ extensions: { http: { routePrefix: '' } } })).extensions.http.routePrefix).toBe('');
    expect(parse(v2({ functionTimeout: '-1' })).functionTimeoutMs).toBeUndefined();
    expect(parse(v2({ functionTimeout: -1 }))).toMatchObject({ functionTimeoutMs: undefined, warnings: [] });
  });

  it('reads custom handlers, also by their old name', () => {
    const description = { defaultExecutablePath: 'server', arguments: ['--x'] };
    const expected = {
      defaultExecutablePath: 'server',
      arguments: ['--x'],
      workerArguments: [],
      enableForwardingHttpRequest: false,
      initializationTimeoutMs: 30 * second,
    };
    expect(parse(v2({ customHandler: { description } })).customHandler).toMatchObject(expected);
    expect(parse(v2({ httpWorker: { description } })).customHandler).toMatchObject(expected);
    const proxying = parse(v2({ customHandler: { description, enableProxyingHttpRequest: true, port: 9090 } }));
    expect(proxying.customHandler).toMatchObject({ enableForwardingHttpRequest: true, port: 9090 });
    expect(proxying.warnings).toEqual([]);
    expect(() => parse(v2({ customHandler: { description, port: 0 } }))).toThrow(
      '"customHandler.port" is 0 and must be a whole number from 1 to 65535',
    );
    expect(() => parse(v2({ customHandler: {} }))).toThrow(
      '"customHandler.description.defaultExecutablePath" is missing',
    );
  });

  it.each([
    [{}, 'missing'],
    [{ version: '3.0' }, '"3.0"'],
    [{ version: 2 }, '2'],
    [{ version: null }, 'null'],
  ])('refuses the version of %j', (source, version) => {
    expect(() => parse({ logging: {}, ...source })).toThrow(`"version" is ${version} and must be "2.0"`);
  });

  it.each([
    [
      { functionTimeout: 'soon' },
      '"functionTimeout" is "soon" and must be a duration as "hh:mm:ss" of at least 00:00:01',
    ],
    [{ functionTimeout: '00:00:00.5' }, 'of at least 00:00:01'],
    [{ functions: 'A' }, '"functions" is "A" and must be a list of texts'],
    [
      { extensions: { queues: { batchSize: 33 } } },
      '"extensions.queues.batchSize" is 33 and must be a whole number from 1 to 32',
    ],
    [{ extensions: { queues: { batchSize: 1.5 } } }, 'is 1.5 and must be a whole number'],
    [{ extensions: { queues: { maxPollingInterval: '00:00:00.05' } } }, 'of at least 00:00:00.1000000'],
    [{ extensions: { queues: { messageEncoding: 'utf8' } } }, 'must be one of base64, none'],
    [{ extensions: { queues: [] } }, '"extensions.queues" is [] and must be an object'],
    [{ extensions: { eventHubs: { maxWaitTime: '00:11:00' } } }, 'from 00:00:00 to 00:10:00'],
    [{ singleton: { lockPeriod: '00:02:00' } }, 'from 00:00:15 to 00:01:00'],
    [{ logging: { logLevel: { default: 'Loud' } } }, '"logging.logLevel.default" is "Loud" and must be one of trace'],
    [{ healthMonitor: { enabled: 'maybe' } }, 'must be true or false'],
    [{ healthMonitor: { counterThreshold: 'x' } }, 'must be a number from 0 to 1'],
    [{ retry: { strategy: 'never' } }, 'host.json: "retry.strategy" is "never"'],
  ])('refuses %j and says what it expects', (rest, message) => {
    expect(() => parse(v2(rest))).toThrow(message);
    expect(() => parse(v2(rest))).toThrow('host.json');
  });

  it('reads what goes to Application Insights, with the defaults of the official host', () => {
    const insightsOf = (applicationInsights: unknown) => parse(v2({ logging: { applicationInsights } }));
    const { sampling, logLevel } = insightsOf(undefined).logging.applicationInsights;
    expect(sampling).toMatchObject({ maxTelemetryItemsPerSecond: 20, initialSamplingPercentage: 100 });
    expect([...(sampling?.types ?? [])]).toEqual(['Dependency', 'Event', 'Exception', 'PageView', 'Request', 'Trace']);
    expect(logLevel.size).toBe(0);
    const host = insightsOf({
      logLevel: { default: 'Error' },
      enableLiveMetrics: true,
      enableLiveMetricsFilters: true,
      samplingSettings: { maxTelemetryItemsPerSecond: 5, excludedTypes: 'request; EXCEPTION;Nothing' },
      surprise: 1,
    });
    const given = host.logging.applicationInsights;
    expect([given.sampling?.maxTelemetryItemsPerSecond, given.logLevel.get('default')]).toEqual([5, 'error']);
    expect([...(given.sampling?.types ?? [])]).toEqual(['Dependency', 'Event', 'PageView', 'Trace']);
    expect(host.warnings).toEqual([
      expect.stringContaining("excludedTypes\" names 'nothing'"),
      expect.stringContaining('enableLiveMetrics" has no effect'),
      expect.stringContaining('surprise" is not known'),
    ]);
    const settings = { samplingSettings: { isEnabled: false } };
    expect(insightsOf(settings).logging.applicationInsights.sampling).toBeUndefined();
    const included = { samplingSettings: { includedTypes: 'Trace;Request', excludedTypes: 'Request' } };
    expect(insightsOf(included).logging.applicationInsights.sampling?.types).toEqual(new Set(['Trace']));
  });

  it('lists everything that is wrong at once', () => {
    const wrong = v2({ functionTimeout: 'x', extensions: { queues: { batchSize: 0 } } });
    expect(() => parse(wrong)).toThrow(/functionTimeout.*batchSize/s);
  });

  it('warns of keys that have no effect, with their path', () => {
    const host = parse(v2({ extension: {}, queues: {}, extensions: { queues: { batchsiez: 1 } }, $schema: 'x' }));
    expect(host.warnings).toEqual([
      '"extensions.queues.batchsiez" is not known and has no effect.',
      '"extension" is not known and has no effect.',
      '"queues" is not known and has no effect; it belongs below "extensions".',
    ]);
  });

  it('takes a bare number for days, as the official host does, with a warning', () => {
    const host = parse(v2({ extensions: { queues: { maxPollingInterval: 2 } } }));
    expect(host.extensions.queues.maxPollingIntervalMs).toBe(2 * 24 * 60 * minute);
    expect(host.warnings[0]).toContain('"extensions.queues.maxPollingInterval" 2 means that many days');
  });

  it('keeps a hostile key harmless', () => {
    const host = parse(parseJsonText('{"version":"2.0","__proto__":{"x":1},"extensions":{"__proto__":{"y":1}}}', 'f'));
    expect(host.warnings).toEqual(['"__proto__" is not known and has no effect.']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('answers any JSON with a HostJson or a catalogued error', () => {
    const keys = fc.constantFrom(
      'functionTimeout',
      'functions',
      'logging',
      'logLevel',
      'extensions',
      'queues',
      'http',
      'hsts',
      'batchSize',
      'retry',
      'customHandler',
      'description',
      'singleton',
      'customHeaders',
      'console',
      '__proto__',
      'x',
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(fc.tuple(keys, tie('tree')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
      ),
    }));
    fc.assert(
      fc.property(tree, (source) => {
        try {
          const merged = typeof source === 'object' && !Array.isArray(source) ? { ...source, version: '2.0' } : source;
          expect(parse(merged).warnings).toBeInstanceOf(Array);
        } catch (thrown) {
          expect(isPlatformError(thrown)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('overrides from settings', () => {
  it('override the file in any case and with either separator', () => {
    const host = parse(v2({ extensions: { Queues: { BatchSize: 4 } }, logging: { logLevel: { Default: 'Error' } } }), {
      AzureFunctionsJobHost__extensions__queues__batchSize: '8',
      'azurefunctionsjobhost:logging:loglevel:default': 'Debug',
      AzureFunctionsJobHost__functionTimeout: '00:10:00',
      AzureFunctionsJobHost__functions__0: 'Only',
      Other__functionTimeout: '00:00:01',
    });
    expect(host.extensions.queues.batchSize).toBe(8);
    expect([...host.logging.logLevel]).toEqual([['Default', 'debug']]);
    expect(host.functionTimeoutMs).toBe(10 * minute);
    expect(host.functions).toEqual(['Only']);
    expect(host.warnings).toEqual([]);
  });

  it('reach into lists, and make texts into numbers where nothing says otherwise', () => {
    const host = parse(v2({ functions: ['A', 'B'], extensions: { durableTask: { hubName: '1' } } }), {
      AzureFunctionsJobHost__functions__1: 'C',
      AzureFunctionsJobHost__functions__2: 'D',
      AzureFunctionsJobHost__functions__9: 'ignored',
      AzureFunctionsJobHost__extensions__durableTask__hubName: '7',
      AzureFunctionsJobHost__extensions__durableTask__max: '10',
      AzureFunctionsJobHost__extensions__durableTask__version: '1.10',
      AzureFunctionsJobHost__extensions__durableTask__on: 'True',
    });
    expect(host.functions).toEqual(['A', 'C', 'D']);
    expect(host.extensionSections.get('durabletask')).toEqual({ hubName: '7', max: 10, version: '1.10', on: true });
  });

  it('are checked like the file', () => {
    expect(() => parse(v2({}), { AzureFunctionsJobHost__extensions__queues__batchSize: '99' })).toThrow('from 1 to 32');
  });

  it('do no harm, whatever their names', () => {
    const name = fc.array(fc.constantFrom('__', ':', 'extensions', '__proto__', 'version', '0', 'x', ''), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(name, fc.string(), (parts, value) => {
        try {
          parse(v2({ functions: ['A'] }), { [`AzureFunctionsJobHost__${parts.join('')}`]: value });
        } catch (thrown) {
          expect(isPlatformError(thrown)).toBe(true);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});

describe('extensions.workerModel', () => {
  const model = (workerModel: object) => parse(v2({ extensions: { workerModel } })).extensions.workerModel;

  it('is undefined until an app names it, and has the defaults of the design then', () => {
    expect(parse(v2({ extensions: {} })).extensions.workerModel).toBeUndefined();
    expect(model({})).toEqual({
      maxWorkersPerRuntime: 20,
      minWorkersPerRuntime: 1,
      workerAffinityMode: 'none',
      routingStrategy: 'leastLoaded',
    });
  });

  it('takes what is right, at the bounds too', () => {
    expect(
      model({
        maxWorkersPerRuntime: 1,
        minWorkersPerRuntime: 1,
        workerAffinityMode: 'Strict',
        routingStrategy: 'PartitionAffinity',
      }),
    ).toEqual({
      maxWorkersPerRuntime: 1,
      minWorkersPerRuntime: 1,
      workerAffinityMode: 'strict',
      routingStrategy: 'partitionAffinity',
    });
    expect(model({ maxWorkersPerRuntime: '7', minWorkersPerRuntime: 0 })).toMatchObject({
      maxWorkersPerRuntime: 7,
      minWorkersPerRuntime: 0,
    });
  });

  it.each([
    [{ maxWorkersPerRuntime: 0 }, 'maxWorkersPerRuntime'],
    [{ maxWorkersPerRuntime: 1_001 }, 'maxWorkersPerRuntime'],
    [{ maxWorkersPerRuntime: 2, minWorkersPerRuntime: 3 }, 'minWorkersPerRuntime'],
    [{ minWorkersPerRuntime: -1 }, 'minWorkersPerRuntime'],
    [{ workerAffinityMode: 'sometimes' }, 'none, preferred, strict'],
  ])('refuses %o', (workerModel, named) => {
    expect(() => model(workerModel)).toThrow(named);
  });
});
