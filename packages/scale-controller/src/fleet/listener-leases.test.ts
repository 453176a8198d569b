import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldListeners } from './held-listeners.ts';
import { ListenerLeases } from './listener-leases.ts';

const ttlMs = 10_000;

function open(more: { generation?: number; hasPredecessors?: boolean } = {}) {
  const clock = new VirtualClock();
  const leases = new ListenerLeases(clock, {
    ttlMs,
    generation: more.generation ?? 1,
    hasPredecessors: more.hasPredecessors ?? false,
    localId: 'here',
  });
  /** A report and its answer, without any time between. */
  const sync = (runtimeId: string, held: HeldListeners): void =>
    held.adopt(leases.report(runtimeId, held.adopted), clock.monotonic(), ttlMs);
  return { clock, leases, sync };
}

describe('ListenerLeases', () => {
  it('I1: a listener of this process stops before another one begins, and the other way round', () => {
    const { clock, leases, sync } = open();
    const there = new HeldListeners(clock);
    leases.want('shop', ['orders'], ['here', 'r2']);
    sync('r2', there);
    expect([leases.mayListenHere('shop', 'orders'), there.mayListen('shop', 'orders')]).toEqual([true, false]);
    leases.want('shop', ['orders'], ['r2']);
    expect(leases.mayListenHere('shop', 'orders')).toBe(false);
    sync('r2', there);
    expect(there.mayListen('shop', 'orders')).toBe(true);
    // It has to say that it stopped.
    leases.want('shop', ['orders'], ['here']);
    expect([leases.mayListenHere('shop', 'orders'), leases.holderOf('shop', 'orders')]).toEqual([false, 'r2']);
    sync('r2', there);
    expect([leases.mayListenHere('shop', 'orders'), there.mayListen('shop', 'orders')]).toEqual([false, false]);
    sync('r2', there);
    expect(leases.mayListenHere('shop', 'orders')).toBe(true);
  });

  it('I1: one that is silent loses it when its time is over, one whose process is gone at once', async () => {
    const { clock, leases, sync } = open();
    const there = new HeldListeners(clock);
    leases.want('shop', ['orders'], ['r2']);
    sync('r2', there);
    leases.want('shop', ['orders'], ['here']);
    await clock.advance(ttlMs - 1);
    leases.look();
    expect([there.mayListen('shop', 'orders'), leases.mayListenHere('shop', 'orders')]).toEqual([true, false]);
    await clock.advance(1);
    leases.look();
    expect([there.mayListen('shop', 'orders'), leases.mayListenHere('shop', 'orders')]).toEqual([false, true]);
    leases.want('shop', ['orders'], ['r3']);
    leases.report('r3', 0);
    leases.want('shop', ['orders'], ['here']);
    leases.dead('r3');
    expect(leases.mayListenHere('shop', 'orders')).toBe(true);
  });

  it('I2, I5: after a restart epochs go on, and nobody begins while somebody of before may listen', async () => {
    const first = open();
    first.leases.want('shop', ['orders'], ['r2']);
    const [before] = first.leases.report('r2', 0).grants;
    const { clock, leases } = open({ generation: 2, hasPredecessors: true });
    leases.want('shop', ['orders'], ['here', 'r2']);
    await clock.advance(ttlMs - 1);
    leases.look();
    expect(leases.mayListenHere('shop', 'orders')).toBe(false);
    await clock.advance(1);
    leases.look();
    expect(leases.mayListenHere('shop', 'orders')).toBe(true);
    leases.want('shop', ['orders'], ['r2']);
    const [after] = leases.report('r2', 0).grants;
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? 0);
  });

  it('I4: four functions are spread over two Runtimes, one after the other, and then stay', () => {
    const { clock, leases, sync } = open();
    const there = new HeldListeners(clock);
    const functions = ['a', 'b', 'c', 'd'];
    leases.want('shop', functions, ['here']);
    expect(leases.countOf('here')).toBe(4);
    leases.want('shop', functions, ['here', 'r2']);
    expect(leases.countOf('here')).toBe(3);
    for (let round = 0; round < 5; round += 1) sync('r2', there);
    expect([leases.countOf('here'), functions.filter((name) => there.mayListen('shop', name)).length]).toEqual([2, 2]);
  });

  it('I1, I2, I3: whatever is lost, late or asked for, no two Runtimes listen for one function', async () => {
    const steps = fc.array(fc.tuple(fc.nat(6), fc.nat(2), fc.nat(4_000)), { minLength: 5, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (given, seed) => {
        const { clock, leases } = open();
        const random = createSeededRandom(seed);
        const ids = ['here', 'r2', 'r3'];
        const held = new Map(['r2', 'r3'].map((id) => [id, new HeldListeners(clock)]));
        const epochs = new Map<string, number>();
        // What a process that is gone had under way is gone with it.
        const lives = new Map<string, number>();
        const check = (): void => {
          for (const name of ['orders', 'mails']) {
            const listeners = [...held].filter(([, one]) => one.mayListen('shop', name)).map(([id]) => id);
            if (leases.mayListenHere('shop', name)) listeners.push('here');
            expect(listeners.length).toBeLessThanOrEqual(1);
          }
        };
        for (const one of held.values()) one.watch(check);
        leases.watch(check);
        for (const [what, which, waitMs] of given) {
          const id = ids[which] ?? 'r2';
          const there = held.get(id);
          if (what <= 1)
            leases.want(
              'shop',
              ['orders', 'mails'],
              ids.filter(() => random.next() < 0.6),
            );
          else if (there !== undefined && what <= 4) {
            // The report is late, its answer is late or lost, and others go on meanwhile.
            const sentMs = clock.monotonic();
            const { adopted } = there;
            const life = lives.get(id);
            clock.schedule(random.next() * 3_000, () => {
              if (lives.get(id) !== life) return;
              const answer = leases.report(id, adopted);
              for (const { functionName, epoch } of answer.grants) {
                expect(epoch).toBeGreaterThanOrEqual(epochs.get(functionName) ?? 0);
                epochs.set(functionName, epoch);
              }
              if (random.next() < 0.8)
                clock.schedule(random.next() * 3_000, () => {
                  if (lives.get(id) === life) there.adopt(answer, sentMs, ttlMs);
                });
            });
          } else if (there !== undefined && what === 5 && random.next() < 0.3) {
            lives.set(id, (lives.get(id) ?? 0) + 1);
            there.close();
            leases.dead(id);
          }
          await clock.advance(waitMs);
          check();
        }
      }),
      { numRuns: 200 },
    );
  });
});
