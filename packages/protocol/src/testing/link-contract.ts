/** The contract of `Link`, run on every implementation: cited invariants are those of link.ts. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus, type Link } from '../link.ts';
import type { Metadata } from '../transport/metadata.ts';
import type { TransportLimits } from '../transport/transport-limits.ts';
import { collect, turns } from './link-collector.ts';

export { createSelfSigned, type SelfSigned } from './self-signed.ts';

/** An open link, and what takes down whatever it needed. */
export interface OpenedLinks {
  readonly opener: Link;
  readonly acceptor: Link;
  close(): Promise<void>;
}

export interface OpenLinksOptions {
  readonly metadata?: Metadata;
  readonly limits?: Partial<TransportLimits>;
}

export type OpenLinks = (options?: OpenLinksOptions) => Promise<OpenedLinks>;

/** Small enough that a test fills it, whatever buffers lie in between. */
const smallLimits = { streamWindowBytes: 128 * 1024, highWaterBytes: 64 * 1024, lowWaterBytes: 16 * 1024 };

/** Declares the tests of one implementation. */
export function describeLinkContract(name: string, open: OpenLinks): void {
  describe(`${name} keeps the Link contract`, () => {
    let links: OpenedLinks;
    beforeEach(async () => {
      links = await open({ metadata: new Map([['authorization', 'Bearer token']]) });
    });
    afterEach(() => links.close());
    describeDelivery(() => links);
    describeEnds(() => links);
  });
  describe(`${name} keeps the limits of the Link contract`, () => {
    let links: OpenedLinks;
    beforeEach(async () => {
      links = await open({ limits: { ...smallLimits, maxMessageBytes: 4096, maxBufferedBytes: 512 * 1024 } });
    });
    afterEach(() => links.close());
    describeBackPressure(() => links);
    describeLimits(() => links);
  });
}

/** Frames may be Buffers; for comparison they are not. */
function plain(frames: readonly Uint8Array[]): Uint8Array[] {
  return frames.map((frame) => new Uint8Array(frame));
}

function describeDelivery(links: () => OpenedLinks): void {
  it('gives the metadata to the acceptor, and none to the opener', () => {
    expect(links().acceptor.metadata.get('authorization')).toBe('Bearer token');
    expect(links().opener.metadata.size).toBe(0);
    expect(links().acceptor.peer).not.toBe('');
  });

  it('I1: frames of any size arrive whole and in order, in both directions', async () => {
    const { opener, acceptor } = links();
    const atAcceptor = collect(acceptor);
    const atOpener = collect(opener);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 60 }), async (frames) => {
        const already = [atAcceptor.frames.length, atOpener.frames.length] as const;
        for (const frame of frames) {
          opener.send(frame);
          acceptor.send(frame);
        }
        expect(plain(await atAcceptor.from(already[0], frames.length))).toEqual(frames);
        expect(plain(await atOpener.from(already[1], frames.length))).toEqual(frames);
      }),
      { numRuns: 25 },
    );
  });

  it('I1: a frame of 20 MiB arrives whole between small ones', async () => {
    const { opener, acceptor } = links();
    const received = collect(acceptor);
    const large = Buffer.alloc(20 * 1024 * 1024, 'abcdefg');
    for (const frame of [Buffer.from('before'), large, Buffer.from('after')]) opener.send(frame);
    const [before, middle, after] = await received.from(0, 3);
    expect([before, after].map(String)).toEqual(['before', 'after']);
    expect(large.equals(middle ?? Buffer.alloc(0))).toBe(true);
  });

  it('I1: nothing arrives from within send', async () => {
    const { opener, acceptor } = links();
    let isSending = false;
    let arrivedInside = 0;
    const received = collect(acceptor, () => {
      if (isSending) arrivedInside += 1;
    });
    isSending = true;
    for (let n = 0; n < 100; n += 1) opener.send(Buffer.from([n]));
    isSending = false;
    await received.from(0, 100);
    expect(arrivedInside).toBe(0);
  });

  it('I1: frames that answer frames arrive too', async () => {
    const { opener, acceptor } = links();
    acceptor.receive({ frame: (bytes) => void acceptor.send(bytes) });
    let hops = 0;
    const done = new Promise<void>((resolve) => {
      opener.receive({
        frame: (bytes) => {
          hops += 1;
          if (hops < 200) opener.send(bytes);
          else resolve();
        },
      });
    });
    opener.send(Buffer.from('ball'));
    await done;
    expect(hops).toBe(200);
  });

  it('I2: frames wait until a receiver is named', async () => {
    const { opener, acceptor } = links();
    opener.send(Buffer.from('early'));
    await turns();
    const received = collect(acceptor);
    expect(received.frames).toHaveLength(0);
    expect((await received.from(0, 1)).map(String)).toEqual(['early']);
  });

  it('I2: a receiver that pauses within a frame gets no other before it resumes', async () => {
    const { opener, acceptor } = links();
    const received = collect(acceptor, () => acceptor.pause());
    for (const text of ['one', 'two', 'three']) opener.send(Buffer.from(text));
    await received.from(0, 1);
    await turns();
    expect(received.frames).toHaveLength(1);
    acceptor.resume();
    await received.from(1, 1);
    await turns();
    expect(received.frames.map(String)).toEqual(['one', 'two']);
    acceptor.resume();
    expect((await received.from(2, 1)).map(String)).toEqual(['three']);
  });

  it('I2: a receiver that cancels within a frame gets no other', async () => {
    const { opener, acceptor } = links();
    const received = collect(acceptor, () => acceptor.cancel({ code: grpcStatus.aborted, message: 'enough' }));
    for (let n = 0; n < 10; n += 1) opener.send(Buffer.from([n]));
    await acceptor.closed;
    await turns();
    expect(received.frames).toHaveLength(1);
  });
}

function describeEnds(links: () => OpenedLinks): void {
  it('I3: half a link stays open until the acceptor ends it', async () => {
    const { opener, acceptor } = links();
    const atAcceptor = collect(acceptor);
    const atOpener = collect(opener);
    opener.send(Buffer.from('last words'));
    opener.end();
    await atAcceptor.ended;
    expect(atAcceptor.frames.map(String)).toEqual(['last words']);
    acceptor.send(Buffer.from('answer'));
    acceptor.end();
    expect(await opener.closed).toEqual({ code: 0, message: '', origin: 'peer' });
    expect(await acceptor.closed).toEqual({ code: 0, message: '', origin: 'local' });
    expect(atOpener.frames.map(String)).toEqual(['answer']);
    await atOpener.ended;
  });

  it('I3: an orderly end waits for the frames in front of it', async () => {
    const { opener, acceptor } = links();
    let isClosed = false;
    const closed = opener.closed.then((end) => {
      isClosed = true;
      return end;
    });
    const received = collect(opener, () => opener.pause());
    for (const text of ['one', 'two']) acceptor.send(Buffer.from(text));
    acceptor.end({ code: grpcStatus.failedPrecondition, message: 'no more' });
    await received.from(0, 1);
    await turns();
    expect(isClosed).toBe(false);
    opener.resume();
    await received.from(1, 1);
    expect(isClosed).toBe(false);
    opener.resume();
    expect(await closed).toEqual({ code: grpcStatus.failedPrecondition, message: 'no more', origin: 'peer' });
  });

  it('I3: an orderly end waits for as many frames as the window holds', async () => {
    const { opener, acceptor } = links();
    for (let n = 0; n < 200; n += 1) acceptor.send(Buffer.alloc(4000, n));
    acceptor.end({ code: grpcStatus.ok, message: '' });
    await turns();
    const received = collect(opener);
    expect(await opener.closed).toEqual({ code: 0, message: '', origin: 'peer' });
    expect(received.frames).toHaveLength(200);
    expect(received.frames.every((frame, index) => frame[0] === index)).toBe(true);
  });

  it('I3: an end that finds nothing undelivered needs no receiver', async () => {
    const { opener, acceptor } = links();
    acceptor.end({ code: grpcStatus.unauthenticated, message: 'who are you?' });
    expect(await opener.closed).toEqual({ code: grpcStatus.unauthenticated, message: 'who are you?', origin: 'peer' });
  });

  it('I3: the first end stands; what comes later changes nothing', async () => {
    const { opener, acceptor } = links();
    collect(opener);
    collect(acceptor);
    opener.cancel({ code: grpcStatus.deadlineExceeded, message: 'too slow' });
    opener.cancel({ code: grpcStatus.internal, message: 'again' });
    opener.end();
    expect(opener.send(Buffer.from('late'))).toBe(false);
    expect(await opener.closed).toEqual({ code: grpcStatus.deadlineExceeded, message: 'too slow', origin: 'local' });
    expect((await acceptor.closed).code).toBe(grpcStatus.cancelled);
    acceptor.end();
    acceptor.pause();
    acceptor.resume();
    await acceptor.drained();
    expect(acceptor.send(Buffer.from('late'))).toBe(false);
    expect((await acceptor.closed).code).toBe(grpcStatus.cancelled);
  });

  it('I5: a status travels from the acceptor as it is, in any script', async () => {
    const { opener, acceptor } = links();
    collect(opener);
    const message = 'nicht gefunden: 関数 "héllo" 100 % 😀\n';
    acceptor.end({ code: grpcStatus.notFound, message });
    expect(await opener.closed).toEqual({ code: grpcStatus.notFound, message, origin: 'peer' });
  });

  it('I5: the acceptor cancels with its status, before and after frames', async () => {
    const { opener, acceptor } = links();
    const received = collect(opener);
    acceptor.send(Buffer.from('hello'));
    await received.from(0, 1);
    acceptor.cancel({ code: grpcStatus.permissionDenied, message: 'not you' });
    expect(await acceptor.closed).toMatchObject({ code: grpcStatus.permissionDenied, origin: 'local' });
    expect(await opener.closed).toEqual({ code: grpcStatus.permissionDenied, message: 'not you', origin: 'peer' });
  });

  it('I5: the opener cancels as CANCELLED', async () => {
    const { opener, acceptor } = links();
    // An acceptor that ends when its peer does must not take a cancellation for that.
    acceptor.receive({ frame: () => {}, end: () => acceptor.end() });
    opener.cancel({ code: grpcStatus.unavailable, message: 'bye' });
    expect(await opener.closed).toEqual({ code: grpcStatus.unavailable, message: 'bye', origin: 'local' });
    expect(await acceptor.closed).toMatchObject({ code: grpcStatus.cancelled, origin: 'peer' });
  });

  it('I5: a receiver that throws ends the link with INTERNAL and keeps its reasons', async () => {
    const { opener, acceptor } = links();
    acceptor.receive({
      frame: () => {
        throw new Error('secret detail');
      },
    });
    collect(opener);
    opener.send(Buffer.from('x'));
    for (const end of [await acceptor.closed, await opener.closed]) {
      expect(end.code).toBe(grpcStatus.internal);
      expect(end.message).not.toContain('secret');
    }
  });

  it('I5: an end handler that throws ends the link with INTERNAL', async () => {
    const { opener, acceptor } = links();
    acceptor.receive({
      frame: () => {},
      end: () => {
        throw new Error('secret detail');
      },
    });
    opener.end();
    expect((await opener.closed).code).toBe(grpcStatus.internal);
  });
}

function describeBackPressure(links: () => OpenedLinks): void {
  /** Sends until `send` answers false; the number of frames that took. */
  const fill = async (link: Link, frame: Uint8Array): Promise<number> => {
    for (let sent = 1; sent < 10_000; sent += 1) {
      if (!link.send(frame)) return sent;
      await turns(1);
    }
    return Number.POSITIVE_INFINITY;
  };

  it('I4: a paused receiver makes send answer false, and every frame arrives after it resumes', async () => {
    const { opener, acceptor } = links();
    const received = collect(acceptor);
    acceptor.pause();
    const sent = await fill(opener, Buffer.alloc(4000, 1));
    expect(sent * 4000).toBeLessThan(1024 * 1024);
    expect(opener.bufferedBytes).toBeGreaterThanOrEqual(smallLimits.highWaterBytes);
    let isDrained = false;
    const drained = opener.drained().then(() => {
      isDrained = true;
    });
    await turns();
    expect(isDrained).toBe(false);
    acceptor.resume();
    await drained;
    expect(opener.bufferedBytes).toBeLessThanOrEqual(smallLimits.lowWaterBytes);
    expect(await received.from(0, sent)).toHaveLength(sent);
  });

  it('I4: a link without a receiver makes send answer false', async () => {
    const { opener } = links();
    expect(await fill(opener, Buffer.alloc(4000, 1))).toBeLessThan(300);
  });

  it('I4: waiting for room ends with the link', async () => {
    const { opener, acceptor } = links();
    await fill(opener, Buffer.alloc(4000, 1));
    const drained = opener.drained();
    acceptor.cancel({ code: grpcStatus.aborted, message: 'gone' });
    await drained;
    expect(opener.send(Buffer.from('x'))).toBe(false);
  });

  it('says at once that an empty link is drained', async () => {
    await links().opener.drained();
    expect(links().opener.bufferedBytes).toBe(0);
  });
}

function describeLimits(links: () => OpenedLinks): void {
  it('I6: a frame above the limit ends the link at both ends; one at the limit does not', async () => {
    const { opener, acceptor } = links();
    const received = collect(opener);
    collect(acceptor);
    acceptor.send(Buffer.alloc(4096));
    await received.from(0, 1);
    acceptor.send(Buffer.alloc(4097));
    const end = await opener.closed;
    expect(end).toMatchObject({ code: grpcStatus.resourceExhausted, origin: 'local' });
    expect(end.message).toContain('4097');
    expect(end.message).toContain('4096');
    expect((await acceptor.closed).code).toBe(grpcStatus.cancelled);
  });

  it('I6: the acceptor tells the opener which frame was too large', async () => {
    const { opener, acceptor } = links();
    collect(opener);
    collect(acceptor);
    opener.send(Buffer.alloc(5000));
    const end = await opener.closed;
    expect(end.code).toBe(grpcStatus.resourceExhausted);
    expect(end.message).toMatch(/5000.*4096/);
  });

  it('I6: an owner that sends into a full buffer loses the link', async () => {
    const { opener, acceptor } = links();
    collect(acceptor);
    acceptor.pause();
    for (let n = 0; n < 400; n += 1) opener.send(Buffer.alloc(4000));
    expect(await opener.closed).toMatchObject({ code: grpcStatus.resourceExhausted, origin: 'local' });
    expect(opener.bufferedBytes).toBeLessThan(600 * 1024);
    expect((await acceptor.closed).code).toBe(grpcStatus.cancelled);
  });
}
