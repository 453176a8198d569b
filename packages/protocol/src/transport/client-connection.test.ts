import { createServer, type Socket } from 'node:net';
import { systemClock } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { collect } from '../testing/link-collector.ts';
import { frameType, preface, type RawPeer, rawFrame, watchRawPeer } from '../testing/raw-http2.ts';
import { openSocketLinks } from '../testing/socket-links.ts';
import { createRpcChannel, type RpcChannel, type RpcChannelOptions } from './rpc-channel.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server by hand: `onSocket` gets each connection; nobody answers by itself. */
async function listenRaw(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function openChannel(
  port: number,
  clock: VirtualClock | typeof systemClock,
  more: Partial<RpcChannelOptions> = {},
): RpcChannel {
  const channel = createRpcChannel({ clock }, { endpoint: `http://127.0.0.1:${port}`, ...more });
  cleanups.push(() => channel.close(0));
  return channel;
}

/** Greets like an HTTP/2 server and then says no more than the test does. */
function greet(socket: Socket): Promise<RawPeer> {
  return new Promise((resolve) => {
    socket.once('data', (chunk) => {
      const peer = watchRawPeer(socket);
      socket.unshift(chunk.subarray(preface.length));
      peer.send(rawFrame(frameType.settings, 0, 0), rawFrame(frameType.settings, 1, 0));
      resolve(peer);
    });
  });
}

describe('ClientConnection', () => {
  it('I1: gives up on a server that accepts and says nothing', async () => {
    const port = await listenRaw(() => {});
    const clock = new VirtualClock();
    const link = openChannel(port, clock, { connectTimeoutMs: 4_000 }).eventStream();
    link.send(Buffer.from('waits for the connection'));
    await clock.advance(3_999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(await link.closed).toEqual({
      code: grpcStatus.unavailable,
      message: `no HTTP/2 connection to 127.0.0.1:${port} was up within 4000 ms`,
      origin: 'transport',
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2: says that nobody listens', async () => {
    const link = openChannel(1, systemClock).eventStream();
    const end = await link.closed;
    expect(end).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
    expect(end.message).toMatch(/cannot connect to 127\.0\.0\.1:1: .*ECONNREFUSED/);
  });

  it('I2: says that the server does not speak HTTP/2', async () => {
    const port = await listenRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const end = await openChannel(port, systemClock).eventStream().closed;
    expect(end).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
    expect(end.message).toContain(`127.0.0.1:${port}`);
  });

  it('I2: ends every stream with the same reason when the connection is lost', async () => {
    const accepted: Socket[] = [];
    const port = await listenRaw((socket) => {
      accepted.push(socket);
      void greet(socket).then((peer) =>
        peer.first(({ type }) => type === frameType.headers).then(() => peer.destroy()),
      );
    });
    const channel = openChannel(port, systemClock);
    const ends = await Promise.all([channel.eventStream().closed, channel.eventStream().closed]);
    for (const end of ends) expect(end).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
    expect(ends[0]).toEqual(ends[1]);
    expect(accepted).toHaveLength(1);
  });

  it('I2: finds a server that has gone silent', async () => {
    let greeted: Promise<RawPeer> | undefined;
    const port = await listenRaw((socket) => {
      greeted = greet(socket);
    });
    const clock = new VirtualClock();
    const keepAlive = { intervalMs: 5_000, timeoutMs: 2_000 };
    const link = openChannel(port, clock, { keepAlive }).eventStream();
    link.send(Buffer.from('hello'));
    while (!greeted) await clock.settle();
    const peer = await greeted;
    await peer.first(({ type }) => type === frameType.data);
    while (clock.pendingTimers === 0) await clock.settle();
    await clock.advance(5_000);
    await peer.first(({ type }) => type === frameType.ping);
    await clock.advance(2_000);
    const end = await link.closed;
    expect(end).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
    expect(end.message).toMatch(/PING, for 2000 ms/);
  });

  it('I3: a GOAWAY lets open streams go on, and the next stream takes a new connection', async () => {
    const first = await openSocketLinks();
    cleanups.push(() => first.close());
    const received = collect(first.opener);
    const closing = first.server.close(60_000);
    first.acceptor.send(Buffer.from('still here'));
    await received.from(0, 1);
    const refused = await first.channel.eventStream().closed;
    expect(refused).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
    first.acceptor.end();
    expect((await first.opener.closed).code).toBe(0);
    await closing;
  });
});
