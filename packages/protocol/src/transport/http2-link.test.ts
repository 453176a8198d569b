import { constants, type Http2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { silentLog } from '@switchyard/kernel';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { grpcStatus, type LinkEnd, type LinkStatus } from '../link.ts';
import { collect, turns } from '../testing/link-collector.ts';
import { grpcMessage } from '../testing/raw-http2.ts';
import { openSocketLinks } from '../testing/socket-links.ts';
import { AssemblyBudget } from './assembly-budget.ts';
import { Http2Link } from './http2-link.ts';
import { defaultTransportLimits, type TransportLimits } from './transport-limits.ts';

/** A stream whose writes wait until the test lets them go. */
class SlowStream extends Duplex {
  readonly writes: Buffer[] = [];
  rstCode = constants.NGHTTP2_NO_ERROR;
  #pending: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    this.#pending = done;
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done);
  }

  /** Lets the write under way finish. */
  async finishWrite(): Promise<void> {
    this.#pending?.();
    await turns(2);
  }
}

interface Opened {
  readonly stream: SlowStream;
  readonly link: Http2Link;
  readonly finished: LinkStatus[];
  readonly aborted: LinkStatus[];
  /** What the side knows of an orderly end. */
  end: LinkEnd | undefined;
}

function openLink(limits: Partial<TransportLimits> = {}): Opened {
  const stream = new SlowStream();
  const finished: LinkStatus[] = [];
  const aborted: LinkStatus[] = [];
  const options = {
    peer: 'peer',
    metadata: new Map<string, string>(),
    limits: { ...defaultTransportLimits, ...limits },
    budget: new AssemblyBudget(1 << 20),
    log: silentLog,
    onCompressed: { code: grpcStatus.internal, message: 'compressed' },
  };
  const opened: Opened = { stream, finished, aborted, end: undefined } as never;
  const link = new Http2Link(stream as unknown as Http2Stream, options, () => ({
    begin: () => {},
    finish: (status) => void finished.push(status),
    abort: (status) => void aborted.push(status),
    orderlyEnd: () => opened.end,
    endAtClose: () => ({ code: grpcStatus.unavailable, message: 'lost', origin: 'transport' }),
  }));
  return Object.assign(opened, { link });
}

describe('Http2Link', () => {
  it('I1: what is sent in one turn leaves in one write', async () => {
    const { stream, link } = openLink();
    for (let n = 0; n < 50; n += 1) link.send(Buffer.from([n]));
    void Promise.resolve().then(() => link.send(Buffer.from('from a microtask')));
    await turns(2);
    expect(stream.writes.map((write) => write.length)).toEqual([50 * 6 + 5 + 'from a microtask'.length]);
  });

  it('I1: what is sent while a write is under way leaves in one write after it', async () => {
    const { stream, link } = openLink();
    link.send(Buffer.from('first'));
    await turns(2);
    for (let n = 0; n < 10; n += 1) {
      link.send(Buffer.from('later'));
      await turns(1);
    }
    expect(stream.writes).toHaveLength(1);
    await stream.finishWrite();
    expect(stream.writes.map((write) => write.length)).toEqual([10, 100]);
  });

  it('ends only after everything was written', async () => {
    const { stream, link, finished } = openLink();
    link.send(Buffer.alloc(3 << 20));
    link.end({ code: 0, message: '' });
    for (let round = 0; round < 2; round += 1) {
      await turns(2);
      expect(finished).toEqual([]);
      await stream.finishWrite();
    }
    await stream.finishWrite();
    expect(finished).toEqual([{ code: 0, message: '' }]);
    expect(Buffer.concat(stream.writes)).toHaveLength((3 << 20) + 5);
    expect(link.send(Buffer.from('late'))).toBe(false);
  });

  it('I2: delivers nothing after closed, whatever still arrives', async () => {
    const { stream, link } = openLink();
    const received = collect(link);
    stream.push(grpcMessage(Buffer.from('in time')));
    await received.from(0, 1);
    let hasEnded = false;
    void received.ended.then(() => {
      hasEnded = true;
    });
    link.cancel({ code: grpcStatus.aborted, message: '' });
    stream.push(grpcMessage(Buffer.from('too late')));
    stream.push(null);
    await turns(5);
    link.resume();
    link.pause();
    await turns(5);
    expect(received.frames).toHaveLength(1);
    expect(hasEnded).toBe(false);
    expect(stream.readableFlowing).toBe(true);
  });

  it('I3: an end that arrives while frames are held back waits for them', async () => {
    const opened = openLink();
    const { stream, link } = opened;
    let end: LinkEnd | undefined;
    void link.closed.then((value) => {
      end = value;
    });
    const received = collect(link, () => link.pause());
    stream.push(Buffer.concat([grpcMessage(Buffer.from('one')), grpcMessage(Buffer.from('two'))]));
    await received.from(0, 1);
    opened.end = { code: 0, message: '', origin: 'peer' };
    stream.push(null);
    link.settle();
    await turns(5);
    stream.emit('close');
    await turns(5);
    expect(end).toBeUndefined();
    link.resume();
    await turns(5);
    expect(received.frames).toHaveLength(2);
    link.resume();
    await turns(5);
    expect(end).toEqual({ code: 0, message: '', origin: 'peer' });
  });

  it('I3: a stream that ends within a frame did not end well', async () => {
    const opened = openLink();
    const { stream, link } = opened;
    collect(link);
    opened.end = { code: 0, message: '', origin: 'peer' };
    stream.push(grpcMessage(Buffer.from('cut off'), 100));
    stream.push(null);
    expect(await link.closed).toMatchObject({ code: grpcStatus.internal, message: expect.stringContaining('middle') });
  });

  it('I3: a lost stream ends the link at once', async () => {
    const { stream, link } = openLink();
    stream.push(grpcMessage(Buffer.from('never delivered')));
    stream.destroy();
    expect(await link.closed).toEqual({ code: grpcStatus.unavailable, message: 'lost', origin: 'transport' });
  });

  it('I4: a buffer that passes the hard limit ends the link and is given up', async () => {
    const { link, aborted } = openLink({ highWaterBytes: 500, maxBufferedBytes: 1000 });
    expect(link.send(Buffer.alloc(400))).toBe(true);
    expect(link.send(Buffer.alloc(400))).toBe(false);
    expect(link.send(Buffer.alloc(400))).toBe(false);
    expect(await link.closed).toMatchObject({ code: grpcStatus.resourceExhausted, origin: 'local' });
    expect(aborted).toHaveLength(1);
    expect(link.bufferedBytes).toBe(0);
    await link.drained();
  });

  it('carries a message at the limit of 128 MiB, and refuses one byte more on its prefix', async () => {
    const links = await openSocketLinks();
    const received = collect(links.acceptor);
    const large = Buffer.alloc((128 << 20) + 1, 'large');
    links.opener.send(large.subarray(0, 128 << 20));
    const [arrived] = await received.from(0, 1);
    expect(large.subarray(0, 128 << 20).equals(arrived ?? Buffer.alloc(0))).toBe(true);
    links.opener.send(large);
    expect(await links.opener.closed).toEqual({
      code: grpcStatus.resourceExhausted,
      message: 'a message of 134217729 bytes is larger than the limit of 134217728 bytes',
      origin: 'peer',
    });
    await links.close();
  });

  it('I5: a receiver that throws ends its own link and no other on the connection', async () => {
    const links = await openSocketLinks();
    const other = links.channel.eventStream();
    collect(links.opener);
    links.acceptor.receive({
      frame: () => {
        throw new Error('broken receiver');
      },
    });
    links.opener.send(Buffer.from('x'));
    expect(await links.opener.closed).toMatchObject({ code: grpcStatus.internal, origin: 'peer' });
    expect(other.send(Buffer.from('still open'))).toBe(true);
    await other.drained();
    await links.close();
  });

  it('I5: what the receiver threw is logged, once', async () => {
    const log = createMemoryLog();
    const links = await openSocketLinks({}, log);
    links.acceptor.receive({
      frame: () => {
        throw new Error('broken receiver');
      },
    });
    links.opener.send(Buffer.from('x'));
    await links.acceptor.closed;
    expect(log.withMessage('a link receiver threw')).toMatchObject([{ fields: { error: 'broken receiver' } }]);
    await links.close();
  });
});
