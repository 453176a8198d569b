import { systemClock } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeBusContract, type OpenedBus } from '../testing/bus-contract.ts';
import { natsPart, openNats, type TestNats } from '../testing/open-nats.ts';
import { openNatsBus } from './nats-bus.ts';

describe.skipIf(natsPart.skip)('NATS JetStream', () => {
  let server: TestNats;
  let topics = 0;
  beforeAll(async () => {
    server = await openNats();
  });
  afterAll(() => server.close());

  async function open(): Promise<OpenedBus> {
    const forgotten: string[] = [];
    const inbox = {
      forget: async (subscription: string, ids: readonly string[]) => {
        forgotten.push(...ids.map((id) => `${subscription}/${id}`));
      },
    };
    const deps = { clock: systemClock, random: createSeededRandom(1), inbox };
    const bus = await openNatsBus(deps, { servers: [server.address] });
    topics += 1;
    return {
      bus,
      topic: `topic-${topics}`,
      forgotten,
      now: () => systemClock.now(),
      run: (promise) => promise,
      close: () => bus.close(),
    };
  }

  describeBusContract('the bus on NATS', open, { lockMs: 2_000, quietMs: 250, tellsDuplicates: true });

  it('says that the server is not there, and nothing of the password', async () => {
    const deps = { clock: systemClock, random: createSeededRandom(1), inbox: { forget: async () => {} } };
    const failed = await openNatsBus(deps, { servers: ['nats://me:hunter2@127.0.0.1:1'] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(String(failed)).toMatch(/The event bus on NATS did not do what was asked/);
    expect(String(failed)).not.toContain('hunter2');
  });

  it('opens a server that wants a user and a password', async () => {
    const closed = await openNats('authorization { user: "me", password: "p@ss" }');
    const deps = { clock: systemClock, random: createSeededRandom(1), inbox: { forget: async () => {} } };
    const address = closed.address.replace('//', '//me:p%40ss@');
    const bus = await openNatsBus(deps, { servers: [address] });
    await bus.ensureSubscription({ topic: 'topic', name: 'sub' });
    expect(await bus.depths()).toHaveLength(1);
    await bus.close();
    const refused = openNatsBus(deps, { servers: [closed.address.replace('//', '//me:hunter2@')] });
    await expect(refused).rejects.toThrow(/The event bus on NATS did not do what was asked: .*[Aa]uthorization/);
    await closed.close();
  });

  it('gives a subscription of another process what was published before it received', async () => {
    const one = await open();
    const spec = { topic: one.topic, name: 'shared', ordered: true };
    await one.bus.ensureSubscription(spec);
    const two = await open();
    await two.bus.ensureSubscription(spec);
    expect(await two.bus.depths()).toEqual([{ topic: one.topic, subscription: 'shared', queued: 0, deadLetters: 0 }]);
    await one.close();
    await two.close();
  });
});
