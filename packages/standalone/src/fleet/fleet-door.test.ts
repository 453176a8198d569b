import type { ControlVerdict } from '@switchyard/identity';
import {
  createFramePeer,
  createMemoryLinkPair,
  grpcStatus,
  type SupplyEvent,
  type SupplyRequest,
} from '@switchyard/protocol';
import { ListenerLeases } from '@switchyard/scale-controller';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { PinnedCertificates } from '../http/pinned-certificates.ts';
import { TraceTap } from '../up/trace-tap.ts';
import { FleetDoor } from './fleet-door.ts';
import { FleetRuntime } from './fleet-runtime.ts';
import { createFakeHomes } from './testing/fake-host.ts';

const full: ControlVerdict = { kind: 'accepted', subject: 'runtime', tenants: '*', scopes: ['deploy', 'secrets'] };

function open(verdict: ControlVerdict = full, maximum = 3) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const leases = new ListenerLeases(clock, { ttlMs: 10_000, generation: 1, hasPredecessors: false, localId: 'local' });
  const fleet = new FleetRuntime({
    ...{ clock, log, leases, demandsOf: () => ({}), boundBy: () => undefined, onNeed: () => {}, mayCome: () => true },
    homes: createFakeHomes(),
  });
  const asked: SupplyRequest[] = [];
  const released: string[] = [];
  const observers = new Set<(event: SupplyEvent) => void>();
  const outsiders: string[] = [];
  const traces = new TraceTap({ clock, log });
  const pinned = new PinnedCertificates();
  const door = new FleetDoor(
    {
      ...{ clock, log, random: createSeededRandom(7), fleet, leases },
      supply: {
        ensure: (request) => asked.push(request),
        release: (workerId) => released.push(workerId),
        watch(observer) {
          observers.add(observer);
          return () => observers.delete(observer);
        },
      },
      guard: async () => verdict,
      publicKeys: () => ({ keys: [] }),
      keysOf: () => [],
      keyStoreOf: () => ({
        list: async () => [{ name: 'default', value: 'v' }],
        set: async (_scope, name) => ({ key: { name, value: 'v' }, isNew: true }),
        ensure: async (_scope, name) => ({ name, value: 'v' }),
        remove: async () => true,
      }),
      isOurs: (instanceId) => instanceId === 'ours',
      ...{ traces, pinned },
      onOutsider: () => outsiders.push('joined'),
    },
    { maximum, listenerMs: 10_000 },
  );
  const dial = (answer: (method: string) => unknown = () => null) => {
    const { opener, acceptor } = createMemoryLinkPair();
    const noted: unknown[][] = [];
    const peer = createFramePeer(clock, opener, {
      call: async (method) => answer(method),
      note: (...note) => void noted.push(note),
    });
    door.accept(acceptor);
    return { peer, noted };
  };
  const request = (more: Record<string, unknown> = {}) => ({
    ...{ name: 'north-1', instanceId: 'i1', gatewayUrl: 'http://127.0.0.1:1', rpcUrl: 'http://127.0.0.1:2' },
    ...{ maxWorkers: 20, maxApplications: 10 },
    ...more,
  });
  const tell = (event: SupplyEvent) => {
    for (const observer of observers) observer(event);
  };
  return { clock, traces, pinned, door, fleet, asked, released, outsiders, dial, request, tell };
}

const application = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };

describe('FleetDoor', () => {
  it.each([
    [
      'no good token',
      { kind: 'refused', status: 401, code: 'TOKEN', reason: 'it is forged' },
      grpcStatus.unauthenticated,
    ],
    ['one for some tenants', { ...full, tenants: ['contoso'] }, grpcStatus.permissionDenied],
    ['one that shows no secrets', { ...full, scopes: ['deploy'] }, grpcStatus.permissionDenied],
  ] as const)('I1: a Runtime with %s does not join', async (_what, verdict, code) => {
    const { clock, fleet, dial } = open(verdict);
    expect((await clock.runUntil(dial().peer.closed)).code).toBe(code);
    expect(fleet.members).toEqual([]);
  });

  it('I2: whoever does not join in time is sent away, and nobody joins twice or beyond the limit', async () => {
    const { clock, fleet, dial, request, outsiders } = open(full, 1);
    const silent = dial();
    expect((await clock.runUntil(silent.peer.closed)).code).toBe(grpcStatus.deadlineExceeded);
    const { peer } = dial();
    const early = clock.runUntil(peer.call('report', {}, 1_000));
    await expect(early).rejects.toMatchObject({ code: 'FLEET_METHOD_UNKNOWN' });
    await expect(clock.runUntil(peer.call('join', { name: 'X' }, 1_000))).rejects.toMatchObject({
      code: 'FLEET_JOIN_INVALID',
    });
    const other = dial();
    const answer = await clock.runUntil(other.peer.call('join', request(), 1_000));
    expect(answer).toMatchObject({ runtimeId: 'north-1', listenerMs: 10_000 });
    await clock.advance(1);
    expect(fleet.members.map(({ runtimeId, kind }) => [runtimeId, kind])).toEqual([['north-1', 'joined']]);
    const again = clock.runUntil(other.peer.call('join', request(), 1_000));
    await expect(again).rejects.toMatchObject({ code: 'FLEET_METHOD_UNKNOWN' });
    const third = dial();
    await expect(clock.runUntil(third.peer.call('join', request(), 1_000))).rejects.toMatchObject({
      code: 'FLEET_FULL',
    });
    expect(outsiders).toEqual(['joined']);
  });

  it('tells each Runtime which certificates of sidecars are believed, from its join to its end', async () => {
    const { clock, pinned, dial, request } = open();
    pinned.set('https://far:1', 'first');
    const { peer, noted } = dial();
    await clock.runUntil(peer.call('join', request(), 1_000));
    await clock.advance(1);
    const forget = pinned.trust(['https://far:2'], 'second');
    forget();
    await clock.settle();
    expect(noted).toEqual([
      ['certificate', { origin: 'https://far:1', certificate: 'first' }],
      ['certificate', { origin: 'https://far:2', certificate: 'second' }],
      ['certificate', { origin: 'https://far:2' }],
    ]);
    peer.close({ code: grpcStatus.ok, message: '' });
    await clock.runUntil(peer.closed);
    await clock.settle();
    pinned.set('https://far:3', 'third');
    await clock.settle();
    expect(noted).toHaveLength(3);
  });

  it('I3: its workers are its own, and are given back when it is gone', async () => {
    const { clock, fleet, door, asked, released, dial, request, tell } = open();
    const { peer, noted } = dial();
    await clock.runUntil(peer.call('join', request({ instanceId: 'ours' }), 1_000));
    await clock.advance(1);
    expect(door.runtimeIdOf('ours')).toBe('north-1');
    peer.note('ensure', { application, count: 2, urgency: 'normal', reason: 'scale' });
    await clock.settle();
    expect(asked).toMatchObject([{ application, count: 2, runtimeId: 'north-1' }]);
    tell({ kind: 'expected', workerId: 'w1', application, runtimeId: 'north-1' });
    tell({ kind: 'expected', workerId: 'w2', application });
    await clock.settle();
    expect(noted).toMatchObject([['supply', { workerId: 'w1' }]]);
    expect(
      await clock.runUntil(peer.call('keyList', { applicationId: 'shop', scope: { kind: 'host' } }, 1_000)),
    ).toEqual([{ name: 'default', value: 'v' }]);
    const wanted = { applicationId: 'shop', scope: { kind: 'system' }, name: 'grid' };
    expect(await clock.runUntil(peer.call('keyEnsure', wanted, 1_000))).toEqual({ name: 'grid', value: 'v' });
    const report = { adopted: 0, jobHosts: [], loads: [], listeningApps: [], memoryUtilization: 0.9 };
    expect(await clock.runUntil(peer.call('report', report, 1_000))).toEqual({ grants: [], sequence: 1 });
    expect(fleet.members[0]?.memoryUtilization).toBe(0.9);
    peer.close({ code: grpcStatus.cancelled, message: 'it ends' });
    await clock.settle();
    expect([fleet.members, asked.at(-1)?.count, released]).toEqual([[], 0, ['w1']]);
  });

  it('shows frames and measurements of Runtimes, also of one that joins while somebody watches', async () => {
    const { clock, traces, door, dial, request } = open();
    const series = [{ kind: 'counter', name: 'calls_total', labels: { app: 'shop' }, value: 3 }];
    const [first, second] = [dial(() => ({ series, dropped: 0 })), dial(() => Promise.reject(new Error('it is busy')))];
    await clock.runUntil(first.peer.call('join', request(), 1_000));
    const seen: unknown[] = [];
    const leave = traces.watch('shop', (frame) => seen.push(frame));
    await clock.runUntil(second.peer.call('join', request({ name: 'south-1', instanceId: 'i2' }), 1_000));
    await clock.advance(10);
    const watched = ['trace', { applicationId: 'shop', isWatched: true }];
    for (const { noted } of [first, second]) expect(noted).toContainEqual(watched);
    const frame = { timeMs: 1, workerId: 'w1', direction: 'to-worker', type: 'rpcLog', id: '', bytes: 5 };
    first.peer.note('traced', { applicationId: 'shop', frame, dropped: 2 });
    await clock.advance(10);
    expect(seen).toEqual([{ dropped: 2 }, frame]);
    leave();
    await clock.advance(10);
    expect(second.noted).toContainEqual(['trace', { applicationId: 'shop', isWatched: false }]);
    // One that does not answer hides no other.
    expect(await clock.runUntil(door.metrics())).toEqual([
      { ...series[0], labels: { app: 'shop', runtime: 'north-1' } },
    ]);
  });
});
