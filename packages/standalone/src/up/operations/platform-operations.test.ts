import type { Application, Catalog, PlatformOperations } from '@switchyard/control-plane';
import type { LogLine } from '@switchyard/protocol/control-api';
import type { JobHostStatus } from '@switchyard/runtime';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { AppLogs } from '../app-logs.ts';
import { TraceTap } from '../trace-tap.ts';
import { createPlatformOperations } from './platform-operations.ts';

const definition = { applicationId: 'shop', metadataVersion: 'm', codeVersion: 'c0de.s3' };

const serving: JobHostStatus = {
  key: 'shop:m',
  applicationId: 'shop',
  state: 'active',
  functions: [
    {
      name: 'hello',
      trigger: 'httpTrigger',
      disabled: false,
      route: { template: 'api/hello', methods: ['GET'], authLevel: 'anonymous' },
    },
    { name: 'tick', trigger: 'timerTrigger', disabled: true },
  ],
  rejected: [{ name: 'odd', reason: 'no such trigger' }],
  unloaded: [{ name: 'tick', message: 'a syntax error', stack: '' }],
  workers: [],
  versions: [],
};

interface OpenOptions {
  readonly hosts?: readonly JobHostStatus[];
  readonly hostingError?: string;
  readonly inspector?: Promise<string>;
}

function open({ hosts = [], hostingError, inspector }: OpenOptions = {}) {
  const clock = new VirtualClock();
  const logs = new AppLogs(clock, { maxLines: 10, isWanted: () => true });
  const log = logs.log(createMemoryLog(clock));
  const operations: PlatformOperations = createPlatformOperations({
    clock,
    catalog: {
      applications: { get: () => ({ hostNames: ['shop.example'] }) },
      keys: { list: () => [] },
    } as unknown as Catalog,
    runtime: {
      status: (id) => hosts.filter(({ applicationId }) => id === undefined || applicationId === id),
    },
    hosting: { errorOf: () => hostingError },
    deployer: { deploy: () => {} },
    logs,
    traces: new TraceTap({ clock, log }),
    processes: { openInspector: () => inspector },
    usageOf: (workerId) =>
      workerId === 'w1' ? { atMs: 5, cpuMs: 1_234.5, memoryBytes: 40_000_000, cpuLimit: 1 } : undefined,
    tenantProblem: (tenantId) => (tenantId === 'stranger' ? 'no user is left' : undefined),
    runtimes: () => ({ runtimes: [], maximum: 1 }),
    gateway: { host: '127.0.0.1', port: 7071 },
  });
  return { clock, log, operations };
}

const worker = { workerId: 'w1', state: 'ready', inFlight: 2, runtimeName: 'node', runtimeVersion: '24' } as const;

const withWorkers = (weight: number, state: JobHostStatus['state'] = 'active'): JobHostStatus => ({
  ...serving,
  state,
  workers: [worker],
  versions: [{ definition, weight, workers: [worker] }] as unknown as JobHostStatus['versions'],
});

describe('the operations of an installation', () => {
  it('admit a tenant that has a place, and say why another one has none', () => {
    const { operations } = open();
    const admitted = (tenantId: string) => operations.admit({ applicationId: 'shop', tenantId } as Application);
    expect(admitted('contoso')).toEqual({ kind: 'admitted' });
    expect(admitted('stranger')).toMatchObject({ kind: 'refused', error: { code: 'TENANT_REFUSED' } });
  });

  it('tell workers under the version that was deployed, functions with their problems, and where the app answers', () => {
    const { operations } = open({ hosts: [withWorkers(100)] });
    expect(operations.status('shop')).toEqual({
      state: 'active',
      urls: ['http://shop.localhost:7071', 'http://shop.example:7071'],
      workers: [{ ...worker, codeVersion: 'c0de', cpuMs: 1_235, memoryBytes: 40_000_000 }],
      functions: [
        {
          name: 'hello',
          trigger: 'httpTrigger',
          disabled: false,
          route: { template: 'api/hello', methods: ['GET'], authLevel: 'anonymous' },
        },
        { name: 'tick', trigger: 'timerTrigger', disabled: true, problem: 'a syntax error' },
        { name: 'odd', trigger: '', disabled: false, problem: 'no such trigger' },
      ],
    });
  });

  it.each<[readonly JobHostStatus[], string]>([
    [[], 'empty'],
    [[withWorkers(0, 'indexing')], 'starting'],
    [[withWorkers(0, 'draining'), withWorkers(100, 'dormant')], 'dormant'],
    [[withWorkers(0, 'draining')], 'draining'],
    [[withWorkers(100, 'faulted')], 'faulted'],
  ])('tell the state of what has traffic (%#): %s', (hosts, state) => {
    expect(open({ hosts }).operations.status('shop').state).toBe(state);
  });

  it('tell why an app is not what it should be', () => {
    expect(open({ hostingError: 'no package' }).operations.status('shop').error).toBe('no package');
    const faulted = { ...withWorkers(100, 'faulted'), error: 'no functions' };
    expect(open({ hosts: [faulted] }).operations.status('shop').error).toBe('no functions');
  });

  it('give the kept lines of an app, and those that come, from a level on', async () => {
    const { operations, log } = open();
    log.write('information', 'Old', { applicationId: 'shop', functionName: 'hello' });
    log.write('debug', 'Too detailed', { applicationId: 'shop' });
    log.write('information', 'Of another', { applicationId: 'blog' });
    const stop = new AbortController();
    const lines: LogLine[] = [];
    const reading = (async () => {
      for await (const line of operations.logs(
        'shop',
        { follow: true, tail: undefined, level: 'information' },
        stop.signal,
      )) {
        lines.push(line);
        if (lines.length === 2) stop.abort();
      }
    })();
    await expect.poll(() => lines.length).toBe(1);
    log.write('warning', 'New', { applicationId: 'shop' });
    await reading;
    expect(lines.map(({ level, message, functionName }) => [level, message, functionName])).toEqual([
      ['information', expect.stringContaining('Old'), 'hello'],
      ['warning', expect.stringContaining('New'), undefined],
    ]);
  });

  it('open the inspector of a worker, and say why there is none', async () => {
    const inspector = Promise.resolve('ws://127.0.0.1:9229/x');
    const hosts = [withWorkers(100)];
    const { operations } = open({ hosts, inspector });
    const { signal } = new AbortController();
    expect(await operations.debug('shop', {}, signal)).toEqual({
      workerId: 'w1',
      inspectorUrl: 'ws://127.0.0.1:9229/x',
    });
    await expect(operations.debug('shop', { workerId: 'w2' }, signal)).rejects.toMatchObject({
      code: 'DEBUG_NO_WORKER',
    });
    await expect(open({ inspector }).operations.debug('shop', {}, signal)).rejects.toMatchObject({
      code: 'DEBUG_NO_WORKER',
    });
    const silent = open({ hosts, inspector: new Promise(() => {}) });
    const opening = silent.operations.debug('shop', {}, signal);
    opening.catch(() => {});
    await silent.clock.advance(5_000);
    await expect(opening).rejects.toMatchObject({ code: 'DEBUG_UNSUPPORTED' });
  });

  it('know which functions there are to call', () => {
    const { operations } = open({ hosts: [withWorkers(100)] });
    const call = () => operations.invoke('shop', 'nothing', {} as never, new AbortController().signal);
    expect(call).toThrow(/has no function 'nothing'.\nCall one that it has: hello, tick/);
  });
});
