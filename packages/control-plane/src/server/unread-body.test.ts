import { PassThrough } from 'node:stream';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { maxUnreadBytes, unreadBodyMs } from './limits.ts';
import { dropBody, type UnreadRequest } from './unread-body.ts';

function start(complete = false) {
  const [clock, stream] = [new VirtualClock(), new PassThrough()];
  dropBody(clock, Object.assign(stream, { complete }) as unknown as UnreadRequest);
  return { clock, stream };
}

describe('dropBody', () => {
  it('reads to the end', async () => {
    const { clock, stream } = start();
    for (let count = 0; count < 50; count += 1) stream.write(Buffer.alloc(100_000));
    stream.end();
    await clock.settle();
    expect([stream.readableEnded, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('cuts what takes too long', async () => {
    const { clock, stream } = start();
    stream.write('x');
    await clock.advance(unreadBodyMs - 1);
    expect(stream.destroyed).toBe(false);
    await clock.advance(1);
    expect([stream.destroyed, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('cuts what is too much', async () => {
    const { clock, stream } = start();
    const chunk = Buffer.alloc(1024 * 1024);
    for (let sizeBytes = 0; sizeBytes <= maxUnreadBytes; sizeBytes += chunk.length) stream.write(chunk);
    await clock.settle();
    for (let turn = 0; turn < 20 && !stream.destroyed; turn += 1) await clock.settle();
    expect([stream.destroyed, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('leaves a request alone that is complete', () => {
    const { clock, stream } = start(true);
    expect([stream.isPaused(), stream.readableFlowing, clock.pendingTimers]).toEqual([false, null, 0]);
  });
});
