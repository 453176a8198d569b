import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BodyResult, bodyLength, hasBody, readBody } from './request-body.ts';

/** A request as far as a reader of its body sees it. */
class FakeBody extends EventEmitter {
  readonly headers: Readonly<Record<string, string>>;
  isPaused = false;

  constructor(headers: Readonly<Record<string, string>>) {
    super();
    this.headers = headers;
  }

  pause(): void {
    this.isPaused = true;
  }

  get asRequest(): IncomingMessage {
    return this as unknown as IncomingMessage;
  }
}

function createRun(headers: Readonly<Record<string, string>>, limitBytes = 10, pauseMs = 1_000) {
  const clock = new VirtualClock();
  const request = new FakeBody(headers);
  const results: BodyResult[] = [];
  readBody(clock, request.asRequest, { limitBytes, pauseMs }, (result) => results.push(result));
  return { clock, request, results };
}

const chunked = { 'transfer-encoding': 'chunked' };

describe('readBody', () => {
  test('joins what comes, and leaves nothing behind', () => {
    const { request, results, clock } = createRun(chunked);
    for (const part of ['one ', 'two']) request.emit('data', Buffer.from(part));
    request.emit('end');
    expect(results).toEqual([{ kind: 'complete', bytes: Buffer.from('one two') }]);
    expect([clock.pendingTimers, request.eventNames()]).toEqual([0, []]);
  });

  test('refuses a body that is announced as too long without a look at it', () => {
    const { request, results } = createRun({ 'content-length': '11' });
    expect([results, request.eventNames()]).toEqual([[{ kind: 'too-large' }], []]);
  });

  test('gives a body up as soon as it is too long', () => {
    const { request, results } = createRun(chunked);
    request.emit('data', Buffer.alloc(10));
    expect(results).toEqual([]);
    request.emit('data', Buffer.alloc(1));
    request.emit('end');
    expect([results, request.isPaused]).toEqual([[{ kind: 'too-large' }], true]);
  });

  test.each(['close', 'error'])('%s before the end is an aborted body', (event) => {
    const { request, results } = createRun({ 'content-length': '4' });
    request.emit('data', Buffer.from('ha'));
    request.emit(event, new Error('gone'));
    request.emit('end');
    expect(results).toEqual([{ kind: 'aborted' }]);
  });

  test('gives up a body that stands still, and no other', async () => {
    const { request, results, clock } = createRun(chunked);
    for (let part = 0; part < 5; part += 1) {
      await clock.advance(900);
      request.emit('data', Buffer.alloc(1));
    }
    expect(results).toEqual([]);
    await clock.advance(999);
    expect(results).toEqual([]);
    await clock.advance(1);
    expect(results).toEqual([{ kind: 'stalled' }]);
  });

  test('reads long bodies of known length as it does others, whatever the parts', () => {
    const megabyte = 1_048_576;
    const parts = fc.array(fc.integer({ min: 1, max: megabyte }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(parts, fc.boolean(), (sizes, isAnnounced) => {
        const whole = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index + 1)));
        const headers = isAnnounced ? { 'content-length': String(whole.byteLength) } : chunked;
        const { request, results } = createRun(headers, 20 * megabyte);
        let offset = 0;
        for (const size of sizes) {
          request.emit('data', whole.subarray(offset, offset + size));
          offset += size;
        }
        request.emit('end');
        const [result] = results;
        expect(result?.kind === 'complete' && whole.equals(result.bytes)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe('bodyLength', () => {
  test.each([
    [{}, 0, false],
    [{ 'content-length': '0' }, 0, false],
    [{ 'content-length': '7' }, 7, true],
    [chunked, undefined, true],
  ])('of %j is %j', (headers, length, has) => {
    const { asRequest } = new FakeBody(headers as Record<string, string>);
    expect([bodyLength(asRequest), hasBody(asRequest)]).toEqual([length, has]);
  });
});
