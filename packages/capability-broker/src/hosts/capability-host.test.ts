import { RpcTarget } from '@switchyard/capabilities';
import { createDeferred } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { CapabilityHost, type LoadedModule } from './capability-host.ts';
import type { CapabilityInstance } from './capability-module.ts';
import type { LoadOrder, OpenOrder } from './host-contract.ts';

const order: LoadOrder = {
  ...{ key: 'a@1.0.0', name: 'a', version: '1.0.0', shard: 'a:shard-0', kind: 'thread', entry: 'a.mjs', config: {} },
  ...{ statePath: null, idempotentMethods: [] },
  limits: { maxConcurrentCalls: 8, maxPayloadBytes: 1_000, maxExecutionMs: 1_000 },
};

const lease = (leaseId: string, ticket = ''): OpenOrder => ({ key: 'a@1.0.0', leaseId, account: 'x', ticket });

function open() {
  const clock = new VirtualClock();
  const loads: string[] = [];
  const disposed: string[] = [];
  const gates: { redeem(ticket: string): unknown }[] = [];
  const world = { failsWith: undefined as Error | undefined, ready: Promise.resolve() };
  const host = new CapabilityHost({
    clock,
    random: createSeededRandom(1),
    pid: 7,
    memoryBytes: () => 1_000,
    listen: async (_path, gate) => void gates.push(gate),
    loadModule: async ({ key }): Promise<LoadedModule> => {
      loads.push(key);
      await world.ready;
      if (world.failsWith !== undefined) throw world.failsWith;
      const instance: CapabilityInstance = {
        methods: {
          echo: (_call, value: unknown) => value,
          ask: (call) => call.dependencies.other?.invoke('hello', []),
        },
        dispose: () => void disposed.push(key),
      };
      return { instance, reclaim: async () => ({ outcome: 'unloaded', detail: 'gone' }) };
    },
  });
  return { clock, host, loads, disposed, gates, world };
}

async function codeOf(work: () => unknown): Promise<unknown> {
  const error = await (async () => work())().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { readonly code?: unknown } | undefined)?.code;
}

/** A neighbour as it arrives from another process: a function that can be duplicated and given back. */
function remoteTarget() {
  const held = { duplicates: 0, given: 0 };
  const make = (isDuplicate: boolean): object =>
    Object.assign(() => {}, {
      invoke: () => (isDuplicate && held.given > 0 ? 'given back' : 'hello'),
      dup: () => {
        held.duplicates += 1;
        return make(true);
      },
      [Symbol.dispose]: () => {
        held.given += 1;
      },
    });
  return { held, target: make(false) as { invoke(): unknown } };
}

test('I1: a key is loaded once, also while its first load runs', async () => {
  const { host, loads, world } = open();
  const gate = createDeferred<void>();
  world.ready = gate.promise;
  const both = Promise.all([host.load(order), host.load(order)]);
  gate.resolve();
  const [first, second] = await both;
  expect(second).toBe(first);
  expect((await host.load(order)).methods).toEqual(['echo', 'ask']);
  expect(loads).toEqual(['a@1.0.0']);
});

test('I1: a load that failed is tried again, and says why it failed', async () => {
  const { host, loads, world } = open();
  world.failsWith = new Error('no such file');
  await expect(host.load(order)).rejects.toMatchObject({ code: 'CAPABILITY_LOAD_FAILED' });
  world.failsWith = undefined;
  await host.load(order);
  expect(loads).toHaveLength(2);
});

test('I2: a ticket leads to its own lease, until the lease ended', async () => {
  const { host, gates } = open();
  await host.load(order);
  await host.listen('/hosts/a');
  const first = await host.open(lease('l1', 'ticket-1'), {});
  const second = await host.open(lease('l2', 'ticket-2'), {});
  await host.open(lease('l3'), {});
  const [gate] = gates;
  expect([gate?.redeem('ticket-1'), gate?.redeem('ticket-2')]).toEqual([first, second]);
  host.end('l1');
  expect(await codeOf(() => gate?.redeem('ticket-1'))).toBe('RELEASED');
  expect(gate?.redeem('ticket-2')).toBe(second);
  for (const ticket of ['', 'l2', 'x', 5, null, ['ticket-2'], '__proto__'])
    expect(await codeOf(() => gate?.redeem(ticket as string))).toBe('RELEASED');
});

test('I3: dependencies stay usable while the lease lasts, and are given back once', async () => {
  const { host } = open();
  await host.load(order);
  const { held, target } = remoteTarget();
  const opened = await host.open(lease('l1'), { other: target });
  expect([await opened.invoke('ask', []), await opened.invoke('ask', []), held]).toEqual([
    'hello',
    'hello',
    { duplicates: 1, given: 0 },
  ]);
  host.end('l1');
  host.end('l1');
  expect(held).toEqual({ duplicates: 1, given: 1 });
});

test('I4: after unload nothing of the capability answers, and it was disposed of', async () => {
  const { host, disposed } = open();
  await host.load(order);
  const { held, target } = remoteTarget();
  const opened = await host.open(lease('l1', 'ticket-1'), { other: target });
  expect(await host.unload(order.key)).toEqual({ outcome: 'unloaded', detail: 'gone' });
  expect([disposed, held.given]).toEqual([['a@1.0.0'], 1]);
  expect(await codeOf(() => opened.invoke('echo', [1]))).toBe('RELEASED');
  expect(await codeOf(() => host.open(lease('l2'), {}))).toBe('SHARD_UNAVAILABLE');
  expect((await host.stats()).leases).toBe(0);
  expect(await host.unload(order.key)).toEqual({ outcome: 'unloaded', detail: 'it was not loaded' });
});

test('a host that nothing can connect to says so', async () => {
  const { clock } = open();
  const host = new CapabilityHost({
    clock,
    random: createSeededRandom(1),
    pid: 1,
    memoryBytes: () => 1,
    loadModule: () => Promise.reject(new Error()),
  });
  expect(await codeOf(() => host.listen('/x'))).toBe('INVALID_PAYLOAD');
  expect([host.describe().contract, host.ping(), host instanceof RpcTarget]).toEqual([1, true, true]);
});
