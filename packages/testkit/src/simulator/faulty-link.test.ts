import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import { createFaultyLink, maxFramesUnderway } from './faulty-link.ts';

const open = (delays: readonly number[] = []) => {
  const clock = new VirtualClock();
  let next = 0;
  const link = createFaultyLink(clock, { delayMs: () => delays[next++] ?? 0 });
  const atAcceptor: number[] = [];
  const atOpener: number[] = [];
  link.acceptor.receive({ frame: (bytes) => atAcceptor.push(bytes[0] ?? -1) });
  link.opener.receive({ frame: (bytes) => atOpener.push(bytes[0] ?? -1) });
  return { clock, link, atAcceptor, atOpener };
};

const frame = (value: number): Uint8Array => Uint8Array.of(value);

describe('createFaultyLink', () => {
  test('I1: frames arrive in order, each once, whatever their delays', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 20 }), async (delays) => {
        const { clock, link, atAcceptor } = open(delays);
        const sent = delays.map((_, index) => index);
        for (const value of sent) link.opener.send(frame(value));
        await clock.advance(1_000);
        expect(atAcceptor).toEqual(sent);
      }),
      { numRuns: 30 },
    );
  });

  test('I2: nothing arrives while paused, and everything afterwards', async () => {
    const { clock, link, atAcceptor, atOpener } = open([5, 5]);
    link.opener.send(frame(1));
    link.acceptor.send(frame(2));
    await clock.settle();
    link.pause();
    await clock.advance(1_000);
    expect([atAcceptor, atOpener]).toEqual([[], []]);
    link.resume();
    await clock.settle();
    expect([atAcceptor, atOpener]).toEqual([[1], [2]]);
  });

  test.each([true, false])('I3: a cut ends both ends (paused: %s)', async (isPaused) => {
    const { clock, link, atAcceptor } = open([50]);
    link.opener.send(frame(1));
    await clock.settle();
    if (isPaused) link.pause();
    link.cut();
    expect((await link.opener.closed).code).toBe(14);
    expect((await link.acceptor.closed).code).not.toBe(0);
    link.resume();
    await clock.advance(1_000);
    expect([atAcceptor, link.isOpen, clock.pendingTimers]).toEqual([[], false, 0]);
  });

  test('I4: the acceptor’s status comes after its frames', async () => {
    const { clock, link, atOpener } = open([20]);
    link.acceptor.send(frame(1));
    link.acceptor.end({ code: 7, message: 'not you' });
    await clock.advance(20);
    expect(await link.opener.closed).toMatchObject({ code: 7, message: 'not you' });
    expect([atOpener, link.isOpen]).toEqual([[1], false]);
  });

  test('I4: the opener’s cancellation overtakes everything', async () => {
    const { clock, link, atAcceptor } = open([20]);
    link.opener.send(frame(1));
    link.opener.cancel({ code: 14, message: 'died' });
    expect((await link.acceptor.closed).code).toBe(1);
    await clock.advance(100);
    expect(atAcceptor).toEqual([]);
  });

  test('an end of the opener lets the acceptor finish', async () => {
    const { clock, link, atOpener } = open();
    link.opener.end();
    await clock.settle();
    link.acceptor.send(frame(9));
    link.acceptor.end();
    expect((await link.opener.closed).code).toBe(0);
    expect(atOpener).toEqual([9]);
  });

  test('I5: a full stretch holds its sender back and loses nothing', async () => {
    const total = 3 * maxFramesUnderway;
    const { clock, link, atAcceptor } = open();
    link.pause();
    let taken = 0;
    const big = new Uint8Array(64 * 1_024);
    for (let index = 0; index < total && link.opener.send(big); index += 1) {
      taken += 1;
      await Promise.resolve();
    }
    await clock.settle();
    expect(taken).toBeGreaterThan(maxFramesUnderway);
    expect(taken).toBeLessThan(total);
    link.resume();
    await clock.settle();
    expect(atAcceptor).toHaveLength(taken + 1);
  });
});
