/** Peers that break the rules of HTTP/2, of gRPC or of good manners: whoever they talk to survives, and nobody else notices. */
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import { systemClock } from '@switchyard/kernel';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus, type Link } from '../link.ts';
import { type Collector, collect, turns } from '../testing/link-collector.ts';
import {
  connectRawPeer,
  endHeaders,
  endStream,
  frameType,
  grpcHeaders,
  grpcMessage,
  headerBlock,
  preface,
  type RawFrame,
  type RawPeer,
  rawFrame,
} from '../testing/raw-http2.ts';
import { createRpcChannel, eventStreamPath, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer } from './rpc-server.ts';

const limits = {
  maxMessageBytes: 1 << 20,
  maxAssemblyBytes: 2 << 20,
  maxConcurrentStreams: 8,
  maxHeaderListBytes: 4096,
  maxConnections: 12,
};

describe('a server among hostile peers', () => {
  let server: RpcServer;
  let port: number;
  let channel: RpcChannel;
  let healthy: Link;
  let received: Collector;
  let peers: RawPeer[];

  beforeEach(async () => {
    peers = [];
    const open = (link: Link): void => link.receive({ frame: (bytes) => void link.send(bytes), end: () => link.end() });
    server = createRpcServer(
      { clock: systemClock },
      { methods: { [eventStreamPath]: { kind: 'stream', open } }, limits },
    );
    ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
    channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
    healthy = channel.eventStream();
    received = collect(healthy);
    await echoStillWorks();
  });
  afterEach(async () => {
    for (const peer of peers) peer.destroy();
    await Promise.all([channel.close(0), server.close(0)]);
  });

  async function echoStillWorks(): Promise<void> {
    const before = received.frames.length;
    healthy.send(Buffer.from(`echo ${before}`));
    expect((await received.from(before, 1)).map(String)).toEqual([`echo ${before}`]);
  }

  async function attack(hello?: Uint8Array): Promise<RawPeer> {
    const peer = await connectRawPeer(port, hello);
    peers.push(peer);
    return peer;
  }

  /** Opens EventStream number `id` on the peer's connection. */
  const openStream = (id: number): Buffer => rawFrame(frameType.headers, endHeaders, id, grpcHeaders(eventStreamPath));
  const data = (id: number, bytes: Uint8Array): Buffer => rawFrame(frameType.data, 0, id, bytes);

  it('survives any bytes, with and without a preface', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, isPolite) => {
        const peer = await attack(isPolite ? undefined : Buffer.alloc(0));
        peer.send(bytes);
        await turns(5);
        peer.destroy();
        await peer.closed;
        await echoStillWorks();
      }),
      { numRuns: 60 },
    );
  });

  it('survives a good conversation with changed bytes', async () => {
    const good = Buffer.concat([
      preface,
      rawFrame(frameType.settings, 0, 0),
      openStream(1),
      data(1, grpcMessage(Buffer.from('hello'))),
      rawFrame(frameType.ping, 0, 0, Buffer.alloc(8)),
      openStream(3),
      data(3, grpcMessage(Buffer.alloc(200))),
      rawFrame(frameType.reset, 0, 3, Buffer.from([0, 0, 0, 8])),
    ]);
    const changes = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changed) bytes[at] = value;
        const peer = await attack(bytes);
        await turns(5);
        peer.destroy();
        await peer.closed;
        await echoStillWorks();
      }),
      { numRuns: 100 },
    );
  });

  it('answers any bytes in place of gRPC messages on their own stream, and serves the next one on the connection', async () => {
    const session = connect(`http://127.0.0.1:${port}`);
    const request = (): ReturnType<typeof session.request> =>
      session.request({ ':method': 'POST', ':path': eventStreamPath, 'content-type': 'application/grpc' });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (bytes) => {
        const stream = request();
        stream.on('error', () => {});
        stream.resume();
        const closed = new Promise((resolve) => stream.on('close', resolve));
        stream.end(bytes);
        await closed;
        const next = request();
        const echoed = new Promise<Buffer>((resolve) => next.once('data', resolve));
        next.end(grpcMessage(Buffer.from('next')));
        expect((await echoed).subarray(5).toString()).toBe('next');
        await echoStillWorks();
      }),
      { numRuns: 60 },
    );
    session.destroy();
  });

  it('refuses more streams on a connection than allowed', async () => {
    const peer = await attack();
    await peer.first(({ type, flags }) => type === frameType.settings && flags === 1);
    peer.send(...Array.from({ length: 12 }, (_, index) => openStream(2 * index + 1)));
    await peer.first(({ type, streamId }) => type === frameType.reset && streamId === 23);
    const refused = peer.frames.filter(({ type }) => type === frameType.reset);
    expect(refused.map(({ streamId }) => streamId)).toEqual([17, 19, 21, 23]);
    expect(refused.map(({ payload }) => payload.readUInt32BE())).toEqual([7, 7, 7, 7]);
    await echoStillWorks();
  });

  it('disconnects a peer that has confirmed the limit of streams and passes it', async () => {
    const peer = await attack(
      Buffer.concat([preface, rawFrame(frameType.settings, 0, 0), rawFrame(frameType.settings, 1, 0)]),
    );
    await peer.first(({ type, flags }) => type === frameType.settings && flags === 1);
    peer.send(...Array.from({ length: 12 }, (_, index) => openStream(2 * index + 1)));
    await peer.closed;
    await echoStillWorks();
  });

  it('refuses a header block above the limit', async () => {
    const peer = await attack();
    const large = grpcHeaders(eventStreamPath, { 'x-large': 'x'.repeat(5000) });
    peer.send(rawFrame(frameType.headers, endHeaders, 1, large));
    await peer.first(({ type, streamId }) => type === frameType.headers && streamId === 1);
    await peer.first(({ type, streamId }) => type === frameType.reset && streamId === 1);
    expect(peer.frames.some(({ type, streamId }) => type === frameType.data && streamId === 1)).toBe(false);
    peer.send(openStream(3), data(3, grpcMessage(Buffer.from('fine'))));
    await peer.first(
      ({ type, streamId, payload }) => type === frameType.data && streamId === 3 && payload.includes('fine'),
    );
    await echoStillWorks();
  });

  it('lets nobody announce more than all unfinished messages may hold', async () => {
    const peer = await attack();
    const part = grpcMessage(Buffer.alloc(12_000), 1 << 20);
    // Flow control of the peer's own making: small pieces, so that no window is ever exceeded.
    for (let piece = 0; piece < 30; piece += 1) {
      for (const id of [1, 3, 5, 7, 9, 11]) {
        if (piece === 0) peer.send(openStream(id), data(id, part));
        else peer.send(data(id, Buffer.alloc(12_000)));
      }
      await turns(3);
    }
    const isTrailers = ({ type, flags }: RawFrame): boolean => type === frameType.headers && (flags & endStream) !== 0;
    const refused = (): number => new Set(peer.frames.filter(isTrailers).map(({ streamId }) => streamId)).size;
    await peer.first(() => refused() > 2);
    await turns();
    expect(refused()).toBeLessThan(6);
    await echoStillWorks();
  });

  it('survives streams that are opened and reset by the thousand', async () => {
    const peer = await attack();
    for (let round = 0; round < 40; round += 1) {
      const streams = Array.from({ length: 50 }, (_, index) => 2 * (round * 50 + index) + 1);
      peer.send(
        ...streams.flatMap((id) => [openStream(id), rawFrame(frameType.reset, 0, id, Buffer.from([0, 0, 0, 8]))]),
      );
      await turns(2);
    }
    await echoStillWorks();
  });

  it('survives floods of PING and SETTINGS', async () => {
    const peer = await attack();
    for (let round = 0; round < 20; round += 1) {
      peer.send(...Array.from({ length: 200 }, () => rawFrame(frameType.ping, 0, 0, Buffer.alloc(8))));
      peer.send(...Array.from({ length: 50 }, () => rawFrame(frameType.settings, 0, 0)));
      await turns(2);
    }
    await echoStillWorks();
  });

  it('holds no more connections than allowed, and takes new ones when old ones go', async () => {
    const first = await Promise.all(Array.from({ length: 11 }, () => attack()));
    await Promise.all(first.map((peer) => peer.first(({ type }) => type === frameType.settings)));
    const surplus = await attack();
    await surplus.closed;
    await echoStillWorks();
    first[0]?.destroy();
    await first[0]?.closed;
    // The server hears of it a moment later than the peer itself.
    const isTaken = async (): Promise<boolean> => {
      const greeted = (await attack()).first(({ type }) => type === frameType.settings);
      return await greeted.then(
        () => true,
        () => false,
      );
    };
    await expect.poll(isTaken).toBe(true);
  });
});

describe('a client with a hostile server', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  function openTo(port: number): Link {
    const channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}`, limits });
    cleanups.push(() => channel.close(0));
    return channel.eventStream();
  }

  async function listenHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<number> {
    const server = createServer();
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      answer(stream);
    });
    server.on('session', (session) => cleanups.push(() => session.destroy()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  it('takes any bytes for a lost connection', async () => {
    let answer: Uint8Array = Buffer.alloc(0);
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.end(answer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isPolite) => {
        answer = isPolite ? Buffer.concat([rawFrame(frameType.settings, 0, 0), bytes]) : bytes;
        const end = await openTo(port).closed;
        expect(end.code).toBe(grpcStatus.unavailable);
        for (const cleanup of cleanups.splice(1)) await cleanup();
      }),
      { numRuns: 60 },
    );
  });

  const grpc = { ':status': 200, 'content-type': 'application/grpc' };
  const cases: [string, (stream: ServerHttp2Stream) => void, number, RegExp][] = [
    ['a web page', (s) => s.respond({ ':status': 200, 'content-type': 'text/html' }), grpcStatus.unknown, /text\/html/],
    ['HTTP 503', (s) => s.respond({ ':status': 503 }, { endStream: true }), grpcStatus.unavailable, /503/],
    ['HTTP 404', (s) => s.respond({ ':status': 404 }, { endStream: true }), grpcStatus.unimplemented, /404/],
    [
      'an end without a status',
      (s) => s.respond(grpc, { endStream: true }),
      grpcStatus.internal,
      /without a gRPC status/,
    ],
    [
      'a code that is none',
      (s) => s.respond({ ...grpc, 'grpc-status': '99' }, { endStream: true }),
      grpcStatus.unknown,
      /'99'/,
    ],
    ['REFUSED_STREAM', (s) => s.close(7), grpcStatus.unavailable, /REFUSED_STREAM/],
    ['ENHANCE_YOUR_CALM', (s) => s.close(11), grpcStatus.resourceExhausted, /ENHANCE_YOUR_CALM/],
    [
      'a message above the limit',
      (s) => {
        s.respond(grpc);
        s.write(grpcMessage(Buffer.alloc(10), 2 << 20));
      },
      grpcStatus.resourceExhausted,
      /2097152.*1048576/,
    ],
    [
      'a compressed message',
      (s) => {
        s.respond({ ...grpc, 'grpc-encoding': 'gzip' });
        s.write(grpcMessage(Buffer.alloc(10), 10, 1));
      },
      grpcStatus.internal,
      /compressed/,
    ],
    [
      'half a message and a good status',
      (s) => {
        s.respond(grpc, { waitForTrailers: true });
        s.on('wantTrailers', () => s.sendTrailers({ 'grpc-status': '0' }));
        s.end(grpcMessage(Buffer.alloc(10), 100));
      },
      grpcStatus.internal,
      /middle of a message/,
    ],
  ];

  it.each(cases)('understands %s', async (_name, answer, code, message) => {
    const link = openTo(await listenHttp2(answer));
    collect(link);
    const end = await link.closed;
    expect(end.code).toBe(code);
    expect(end.message).toMatch(message);
  });

  it('reads header blocks written by hand', async () => {
    expect(headerBlock({ a: 'b' }).length).toBe(5);
    const link = openTo(
      await listenHttp2((stream) => stream.respond({ ...grpc, 'grpc-status': '5' }, { endStream: true })),
    );
    expect(await link.closed).toMatchObject({ code: grpcStatus.notFound });
  });
});
