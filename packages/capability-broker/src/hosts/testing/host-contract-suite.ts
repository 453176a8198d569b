/** The contract suite of hosts: the same promises for every kind and language of host. */
import { fileURLToPath } from 'node:url';
import { isCapabilityError, RpcTarget } from '@switchyard/capabilities';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type HostConnection, hostContractVersion, type LoadOrder, type OpenOrder } from '../host-contract.ts';

export interface HostUnderTest {
  readonly title: string;
  /** The file of its probe, below `fixtures`. */
  readonly probe: string;
  readonly kind: string;
  /** Starts a host. */
  open(): HostConnection;
  /** Why it cannot run here, or undefined. */
  readonly skip?: boolean;
  /** True when the host lives through its own end: it shares this process. */
  readonly inProcess: boolean;
  /** True when a method that never yields does not keep the host from answering others. */
  readonly spinsAside?: boolean;
}

/** The path of a file below `fixtures`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
}

/** The order that loads a probe. */
export function probeOrder(change: Partial<LoadOrder> = {}): LoadOrder {
  return {
    ...{ key: 'probe@1.0.0', name: 'probe', version: '1.0.0', shard: 'probe:shard-0', kind: 'thread' },
    ...{ entry: fixture('probe.cjs'), config: { colour: 'red' }, statePath: null, idempotentMethods: [] },
    limits: { maxConcurrentCalls: 200, maxPayloadBytes: 1_000_000, maxExecutionMs: 10_000 },
    ...change,
  };
}

export function openOrder(leaseId = 'lease-1', account = 'x', ticket = ''): OpenOrder {
  return { key: 'probe@1.0.0', leaseId, account, ticket };
}

/** A capability of another host, as far as a host that depends on it can tell. */
export class Neighbour extends RpcTarget {
  invoke(method: string, parameters: readonly unknown[]): string {
    return `${method}(${parameters.join()})`;
  }
}

export function hostContractSuite({ title, probe, kind, open, skip, inProcess }: HostUnderTest): void {
  describe.skipIf(skip === true)(title, () => {
    let connection: HostConnection;
    const order = probeOrder({ entry: fixture(probe), kind });

    beforeEach(async () => {
      connection = open();
      await connection.host.load(order);
    });

    afterEach(async () => {
      await connection.kill();
    });

    const opened = async (leaseId?: string, account?: string) => {
      const target = await connection.host.open(openOrder(leaseId, account), {});
      return async (method: string, parameters: readonly unknown[] = [], options = {}): Promise<unknown> =>
        target.invoke(method, parameters, options);
    };

    const codeOf = async (call: unknown): Promise<unknown> => {
      const error = await Promise.resolve(call).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return inProcess || isCapabilityError(error) ? (error as { readonly code?: unknown }).code : error;
    };

    test('says what it is, and answers', async () => {
      const { contract, language, pid } = await connection.host.describe();
      expect([contract, typeof language, typeof pid]).toEqual([hostContractVersion, 'string', 'number']);
      expect(await connection.host.ping()).toBe(true);
    });

    test('loads once, and says which methods there are', async () => {
      const invoke = await opened();
      await invoke('count');
      const again = await connection.host.load(order);
      expect(again.methods).toContain('echo');
      expect(again.loadMs).toBeGreaterThanOrEqual(0);
      expect(await invoke('count')).toBe(2);
    });

    test('says why a file cannot be loaded, and goes on', async () => {
      const missing = probeOrder({ key: 'no@1.0.0', name: 'no', entry: fixture('nowhere.cjs'), kind });
      expect(await codeOf(connection.host.load(missing))).toBe('CAPABILITY_LOAD_FAILED');
      expect(await (await opened())('echo', [1])).toBe(1);
    });

    test('carries data both ways as it is', async () => {
      const invoke = await opened();
      const values = [null, true, 1.5, 'ü\n', [], [[1], [[]]], { a: [{ b: null }] }, 12n ** 20n, new Date(5)];
      for (const value of values) expect(await invoke('echo', [value])).toEqual(value);
      expect([...((await invoke('echo', [Buffer.from([0, 255])])) as Uint8Array)]).toEqual([0, 255]);
      expect(await invoke('add', [2, 3])).toBe(5);
    });

    test('hands a capability its settings and the caller', async () => {
      const invoke = await opened('lease-1', 'somebody');
      expect(await invoke('settings')).toMatchObject({
        name: 'probe',
        version: '1.0.0',
        shard: 'probe:shard-0',
        config: { colour: 'red' },
      });
      expect(await invoke('account')).toBe('somebody');
      expect(await invoke('trace', [], { traceparent: '00-a-b-01' })).toBe('00-a-b-01');
    });

    test('turns failures into errors with a code', async () => {
      const invoke = await opened();
      await expect(invoke('fail', ['broken'])).rejects.toThrow("'fail' of 'probe' failed: broken");
      expect(await codeOf(invoke('fail', ['broken']))).toBe('CAPABILITY_FAILED');
      for (const name of ['nothing', '__proto__', 'constructor', '__class__', '_private'])
        expect(await codeOf(invoke(name))).toBe('METHOD_NOT_FOUND');
      expect(await codeOf(invoke('cycle'))).toBe('INVALID_PAYLOAD');
      expect(await codeOf(invoke('big', [2_000_000]))).toBe('INVALID_PAYLOAD');
      expect(await codeOf(invoke('echo', ['x'.repeat(2_000_000)]))).toBe('INVALID_PAYLOAD');
    });

    test('ends calls that take too long, and goes on', async () => {
      const invoke = await opened();
      expect(await codeOf(invoke('ignore', [], { timeoutMs: 20 }))).toBe('TIMEOUT');
      expect(await codeOf(invoke('wait', [], { timeoutMs: 20 }))).toBe('TIMEOUT');
      expect(await invoke('echo', [1])).toBe(1);
    });

    test('runs no more calls at once than the limit', async () => {
      const limits = { ...order.limits, maxConcurrentCalls: 1 };
      await connection.host.load({ ...order, key: 'one@1.0.0', name: 'one', limits });
      const target = await connection.host.open({ ...openOrder('lease-9'), key: 'one@1.0.0' }, {});
      const first = Promise.resolve(target.invoke('ignore', [], { timeoutMs: 200 }));
      const second = codeOf(Promise.resolve().then(() => target.invoke('ignore', [])));
      expect(await second).toBe('RESOURCE_EXHAUSTED');
      expect(await codeOf(first)).toBe('TIMEOUT');
    });

    test('runs a call with an idempotency key once', async () => {
      const invoke = await opened();
      const calls = ['k', 'k', 'l'].map((idempotencyKey) => invoke('count', [], { idempotencyKey }));
      const [first, again, other] = await Promise.all(calls);
      // Which of the two keys runs first is the host's matter.
      expect(again).toBe(first);
      expect(new Set([first, other])).toEqual(new Set([1, 2]));
    });

    test('answers RELEASED once a lease ended, running calls included, and tells the capability', async () => {
      const first = await opened('lease-1');
      const second = await opened('lease-2');
      const running = codeOf(first('ignore'));
      await connection.host.ping();
      await connection.host.end('lease-1');
      await connection.host.end('lease-1');
      expect(await running).toBe('RELEASED');
      expect(await codeOf(first('echo', [1]))).toBe('RELEASED');
      expect(await second('ended')).toEqual(['lease-1']);
    });

    test('reaches the capabilities that it depends on for as long as the lease', async () => {
      const target = await connection.host.open(openOrder('lease-3'), { neighbour: new Neighbour() });
      for (const value of [1, 2])
        expect(await target.invoke('ask', ['neighbour', 'greet', [value]])).toBe(`greet(${value})`);
    });

    test('counts what it does and holds', async () => {
      const invoke = await opened();
      await invoke('echo', [1]);
      await invoke('fail', ['x']).catch(() => {});
      const stats = await connection.host.stats();
      expect(stats).toMatchObject({ calls: 2, failures: 1, timeouts: 0, inFlight: 0, leases: 1 });
      expect(stats.memoryBytes).toBeGreaterThan(100_000);
    });

    test('answers no more for what is unloaded', async () => {
      const invoke = await opened();
      await connection.host.unload('probe@1.0.0');
      expect(await codeOf(invoke('echo', [1]))).toBe('RELEASED');
      expect(await codeOf(connection.host.open(openOrder('lease-5'), {}))).toBe('SHARD_UNAVAILABLE');
      expect(await connection.host.unload('probe@1.0.0')).toMatchObject({ outcome: 'unloaded' });
    });

    test.skipIf(inProcess)('what a capability prints does not disturb the messages', async () => {
      const invoke = await opened();
      await invoke('print', ['["push",["pipeline",0,["ping"],[]]]']);
      expect(await invoke('echo', [1])).toBe(1);
    });

    test.skipIf(inProcess)('its death rejects every pending and later call at once', async () => {
      const invoke = await opened();
      const pending = Array.from({ length: 100 }, () => codeOf(invoke('ignore')));
      await connection.host.ping();
      await connection.kill();
      expect(new Set(await Promise.all(pending))).toEqual(new Set(['SHARD_UNAVAILABLE']));
      expect(await codeOf(invoke('echo', [1]))).toBe('SHARD_UNAVAILABLE');
      expect(await connection.ended).toMatchObject({ expected: true });
    });

    test.skipIf(inProcess)('a capability that ends its host is noticed', async () => {
      const invoke = await opened();
      expect(await codeOf(invoke('exit'))).toBe('SHARD_UNAVAILABLE');
      expect(await connection.ended).toMatchObject({ expected: false });
    });

    test.skipIf(inProcess)('a capability that spins is stopped', async () => {
      const invoke = await opened();
      const spinning = codeOf(invoke('spin'));
      await connection.kill();
      expect(await spinning).toBe('SHARD_UNAVAILABLE');
    });
  });
}
