import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { controlErrors } from './errors.ts';
import { ConnectionLost } from './event-connection.ts';
import { followEvents } from './follow-events.ts';
import { controlLimits } from './limits.ts';

const unreachable = () =>
  controlErrors.create('CONTROL_UNREACHABLE', { endpoint: 'here', reason: 'nobody', fix: 'Start it.' });

type Connection = (events: number[]) => AsyncGenerator<number>;

/** Follows connections; the last of them is repeated. */
function follow(connections: readonly (() => AsyncGenerator<number>)[], signal = new AbortController().signal) {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const lost: string[] = [];
  const seen: number[] = [];
  const connect = (number: number) => {
    asked.push(number);
    const connection = connections[Math.min(asked.length, connections.length) - 1];
    if (connection === undefined) throw new Error('no connection is scripted');
    return connection();
  };
  const deps = { clock, random: createSeededRandom(1), endpoint: 'here' };
  const run = async () => {
    for await (const event of followEvents(deps, connect, { signal, onLost: (reason) => lost.push(reason) }))
      seen.push(event);
  };
  return { clock, asked, lost, seen, run };
}

const ends: Connection = async function* (events) {
  yield* events;
};
const breaks: Connection = async function* (events) {
  yield* events;
  throw new ConnectionLost('cut');
};
// biome-ignore lint/correctness/useYield: it fails before it begins.
const fails = async function* (error: Error): AsyncGenerator<number> {
  throw error;
};

const fatal = controlErrors.create('CONTROL_REFUSED', { text: 'no such app' });

describe('followEvents', () => {
  it('says at once when the first connection fails', async () => {
    const { run, asked } = follow([() => fails(unreachable())]);
    await expect(run()).rejects.toMatchObject({ code: 'CONTROL_UNREACHABLE' });
    expect(asked).toEqual([0]);
  });

  it('connects again when a connection breaks, ends, or cannot be had for a while', async () => {
    const { run, clock, seen, asked, lost } = follow([
      () => breaks([1, 2]),
      () => fails(unreachable()),
      () => ends([3]),
      () => breaks([4]),
      () => fails(fatal),
    ]);
    await expect(clock.runUntil(run())).rejects.toBe(fatal);
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(asked).toEqual([0, 1, 1, 2, 3]);
    expect(lost).toEqual(['cut', 'the platform closed it', 'cut']);
  });

  it('gives up after too many tries in a row', async () => {
    const { run, clock, asked, lost } = follow([() => breaks([1]), () => fails(unreachable())]);
    await expect(clock.runUntil(run())).rejects.toThrow(
      `and ${controlLimits.reconnectTries} tries in a row did not bring it back: Nothing answers at here`,
    );
    expect(asked).toHaveLength(1 + controlLimits.reconnectTries);
    expect(lost).toEqual(['cut']);
    expect(clock.monotonic()).toBeLessThan(controlLimits.reconnectTries * controlLimits.reconnect.maximumMs);
  });

  it('begins the count anew behind a connection that held', async () => {
    const held: { clock?: VirtualClock } = {};
    let connections = 0;
    const { run, clock } = follow([
      async function* () {
        connections += 1;
        if (connections > 3 * controlLimits.reconnectTries) throw fatal;
        // Half an hour in which the app says nothing.
        await new Promise<void>((resolve) => held.clock?.schedule(1_800_000, resolve));
        yield* [];
        throw new ConnectionLost('cut');
      },
    ]);
    held.clock = clock;
    await expect(clock.runUntil(run(), 1e9)).rejects.toBe(fatal);
  });

  it('ends with the reason of its signal while it waits to connect', async () => {
    const stop = new AbortController();
    const { run, clock, asked } = follow([() => breaks([1])], stop.signal);
    const running = run();
    await clock.settle();
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(asked).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
  });
});
