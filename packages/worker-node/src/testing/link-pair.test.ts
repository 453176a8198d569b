import { describe, expect, it } from 'vitest';
import { createLinkPair } from './link-pair.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const bytes = (value: number) => Uint8Array.of(value);

describe('createLinkPair', () => {
  it('I1: delivers in order, once, when there is a receiver that is not paused', async () => {
    const { near, far } = createLinkPair();
    const got: number[] = [];
    near.send(bytes(1));
    near.send(bytes(2));
    await turn();
    far.pause();
    far.receive({ frame: (frame) => got.push(frame[0] ?? 0) });
    await turn();
    expect([got, near.bufferedBytes, far.isPaused]).toEqual([[], 2, true]);
    far.resume();
    near.send(bytes(3));
    await turn();
    expect(got).toEqual([1, 2, 3]);
  });

  it('I2: closes both ends once, with the same status', async () => {
    const { near, far } = createLinkPair();
    near.cancel({ code: 14, message: 'cut' });
    near.cancel({ code: 1, message: 'again' });
    expect(await near.closed).toEqual({ code: 14, message: 'cut', origin: 'local' });
    expect(await far.closed).toEqual({ code: 14, message: 'cut', origin: 'peer' });
    expect(near.send(bytes(1))).toBe(false);
  });

  it('ends when both have ended', async () => {
    const { near, far } = createLinkPair();
    far.receive({ frame: () => {}, end: () => far.end() });
    near.end();
    expect((await near.closed).code).toBe(0);
    expect((await far.closed).code).toBe(0);
  });

  it('is congested when the test says so', async () => {
    const { near } = createLinkPair();
    near.congest();
    expect(near.send(bytes(1))).toBe(false);
    const drained = near.drained();
    near.relieve();
    await drained;
    expect(near.send(bytes(1))).toBe(true);
  });
});
