import { VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { parseManifest } from '../registry/capability-manifest.ts';
import { FakeHost } from '../testing/fake-hosts.ts';
import { HostInstance, type InstanceEnd } from './host-instance.ts';

function open(prepare: (host: FakeHost) => void = () => {}) {
  const clock = new VirtualClock();
  const host = new FakeHost();
  prepare(host);
  const ends: InstanceEnd[] = [];
  const manifest = parseManifest({ name: 'a', version: '1.0.0', tier: 2, kind: 'thread', entry: 'x.mjs' });
  const instance = new HostInstance(
    {
      clock,
      openHost: () => host.connection,
      directPath: undefined,
      statePath: undefined,
      onEnd: (_instance, end) => ends.push(end),
    },
    { instanceId: 'i', manifest, shard: 'a:shard-0', loadTimeoutMs: 1_000 },
  );
  return { clock, host, ends, instance };
}

const lease = { leaseId: 'l', account: 'x', ticket: '' };

test('I1: loading happens once for all who wait, and who comes later', async () => {
  const { host, instance } = open();
  expect(instance.state).toBe('loading');
  await Promise.all([instance.ready(), instance.ready()]);
  await instance.ready();
  expect([instance.state, host.loads.length]).toEqual(['warm', 1]);
});

test('I2: the end of the host ends it once, also while it drains', async () => {
  const { clock, host, instance, ends } = open();
  await instance.ready();
  await instance.open(lease, {});
  instance.drain();
  host.die();
  await clock.settle();
  await instance.kill('again');
  expect(ends).toMatchObject([{ kind: 'died', detail: 'it died' }]);
  await expect(instance.ready()).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
});

test('I2: a load that takes too long kills its host and fails', async () => {
  const { clock, host, instance, ends } = open((slow) => {
    slow.gate = new Promise(() => {});
  });
  await clock.settle();
  const failed = expect(instance.ready()).rejects.toMatchObject({ code: 'TIMEOUT' });
  await clock.advance(1_000);
  await failed;
  expect([host.killed, ends.map((end) => end.kind)]).toEqual([1, ['load-failed']]);
});

test('I3: while it drains it takes no lease, and the last one over unloads it', async () => {
  const { clock, host, instance, ends } = open();
  await instance.ready();
  await instance.open(lease, {});
  instance.drain();
  await expect(instance.open({ ...lease, leaseId: 'm' }, {})).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  instance.end('m');
  expect([instance.state, host.killed]).toEqual(['draining', 0]);
  instance.end('l');
  await clock.settle();
  expect([instance.state, host.killed, ends.map((end) => end.kind)]).toEqual(['ended', 1, ['unloaded']]);
});

test('I4: it is unloaded once, and says what it held and how long that took', async () => {
  const { instance, ends } = open();
  await instance.ready();
  await instance.probe(100);
  const [first, second] = await Promise.all([instance.unload(), instance.unload()]);
  expect([first, second]).toEqual([
    { kind: 'unloaded', unloadMs: 0, memoryBytes: 10, detail: expect.stringContaining('all its memory') },
    undefined,
  ]);
  expect(ends).toHaveLength(1);
});
