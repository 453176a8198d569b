import { PassThrough, Readable } from 'node:stream';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { bodyIdleMs } from './limits.ts';
import { readJsonBody, readPackageBody } from './request-body.ts';

type Source = Parameters<typeof readJsonBody>[1];

function bodyOf(stream: Readable, type = 'application/json'): Source {
  return Object.assign(stream, { headers: { 'content-type': type } }) as unknown as Source;
}

const refused = (code: string) => ({ error: { code } });

describe('readJsonBody', () => {
  it('gives up when nothing comes for too long', async () => {
    const clock = new VirtualClock();
    const stream = new PassThrough();
    const reading = readJsonBody(clock, bodyOf(stream));
    reading.catch(() => {});
    for (const text of ['{"a"', ':', '1']) {
      stream.write(text);
      await clock.advance(bodyIdleMs - 1);
    }
    await clock.advance(1);
    await expect(reading).rejects.toMatchObject(refused('CONTROL_BODY_SLOW'));
    expect(clock.pendingTimers).toBe(0);
    // The answer goes out on the same socket.
    expect(stream.destroyed).toBe(false);
  });

  it('takes the prototype for an intruder, wherever it stands', async () => {
    const read = (text: string) => readJsonBody(new VirtualClock(), bodyOf(Readable.from([Buffer.from(text)])));
    await expect(read('{"a":[{"__proto__":1}]}')).rejects.toMatchObject(refused('CONTROL_INPUT_INVALID'));
    expect(await read('{"a":[{"proto":1}]}')).toEqual({ a: [{ proto: 1 }] });
  });
});

describe('readPackageBody', () => {
  it('passes the bytes on as they come', async () => {
    const parts: string[] = [];
    const source = bodyOf(Readable.from([Buffer.from('a'), Buffer.from('b')]), 'application/zip');
    for await (const part of readPackageBody(new VirtualClock(), source)) parts.push(Buffer.from(part).toString());
    expect(parts).toEqual(['a', 'b']);
  });

  it('refuses what says that it is something else', () => {
    const read = () =>
      readPackageBody(new VirtualClock(), bodyOf(Readable.from([]), 'multipart/form-data; boundary=x'));
    expect(read).toThrow("A body of the type 'multipart/form-data' is not understood here.");
  });
});
