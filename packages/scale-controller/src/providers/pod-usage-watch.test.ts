import { createDeferred } from '@switchyard/kernel';
import type { PodEnd } from '@switchyard/protocol';
import type { HttpReply } from '@switchyard/protocol/http-exchange';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { PodUsageWatch } from './pod-usage-watch.ts';

const reply = (cpuMs: number): HttpReply => ({
  status: 200,
  text: JSON.stringify({ data: { usage: { at_ms: 1, cpu_ms: cpuMs, memory_bytes: 2, cpu_limit: 1 } } }),
});

function open(answer: (url: string) => Promise<HttpReply> = async () => reply(7)) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const atOnce = { now: 0, most: 0 };
  const watch = new PodUsageWatch({
    clock,
    async exchange({ url }) {
      asked.push(url);
      atOnce.now += 1;
      atOnce.most = Math.max(atOnce.most, atOnce.now);
      try {
        return await answer(url);
      } finally {
        atOnce.now -= 1;
      }
    },
  });
  const add = (workerId: string) => {
    const ended = createDeferred<PodEnd>();
    watch.add({ workerId, ended: ended.promise }, `http://${workerId}`);
    return () => ended.resolve({ exitCode: 0, signal: null, stderrTail: [], error: undefined });
  };
  return { clock, asked, atOnce, watch, add };
}

describe('PodUsageWatch', () => {
  it('I1: asks the pods that serve, every two seconds, until they end', async () => {
    const { clock, asked, watch, add } = open();
    await clock.advance(10_000);
    expect([asked, clock.pendingTimers]).toEqual([[], 0]);
    const end = add('w1');
    await clock.advance(2_000);
    expect([asked, watch.usageOf('w1')?.cpuMs]).toEqual([['http://w1/health'], 7]);
    await clock.advance(4_000);
    expect(asked).toHaveLength(3);
    end();
    await clock.advance(10_000);
    expect([asked.length, watch.usageOf('w1'), clock.pendingTimers]).toEqual([3, undefined, 0]);
  });

  it('I1: leaves no timer after it was closed, and takes nothing more', async () => {
    const { clock, asked, watch, add } = open();
    add('w1');
    watch.close();
    add('w2');
    await clock.advance(10_000);
    expect([asked, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('I2: asks a bounded number at once, and each once in a look', async () => {
    const held = createDeferred<void>();
    const { clock, asked, atOnce, watch, add } = open(async (url) => {
      await held.promise;
      return reply(url.length);
    });
    for (let number = 0; number < 100; number += 1) add(`w${number}`);
    await clock.advance(2_000);
    expect([asked.length, atOnce.most]).toEqual([32, 32]);
    held.resolve();
    await clock.settle();
    expect([asked.length, new Set(asked).size, atOnce.most]).toEqual([100, 100, 32]);
    expect(watch.usageOf('w99')?.cpuMs).toBe('http://w99/health'.length);
  });

  it('I3: keeps what a silent pod said last for a while, and lets no other one wait for it', async () => {
    let isSilent = false;
    const { clock, watch, add } = open(async (url) =>
      isSilent && url.startsWith('http://w1') ? new Promise<HttpReply>(() => {}) : reply(isSilent ? 9 : 7),
    );
    add('w1');
    add('w2');
    await clock.advance(2_000);
    isSilent = true;
    await clock.advance(10_000);
    expect([watch.usageOf('w1')?.cpuMs, watch.usageOf('w2')?.cpuMs]).toEqual([7, 9]);
    await clock.advance(10_000);
    expect([watch.usageOf('w1')?.cpuMs, watch.usageOf('w2')?.cpuMs]).toEqual([undefined, 9]);
  });

  it.each([
    ['no JSON', 'oops'],
    ['another shape', '[]'],
    ['no numbers', '{"data":{"usage":{"cpu_ms":"7"}}}'],
  ])('knows nothing from an answer with %s', async (_, text) => {
    const { clock, watch, add } = open(async () => ({ status: 200, text }));
    add('w1');
    await clock.advance(2_000);
    expect(watch.usageOf('w1')).toBeUndefined();
  });
});
