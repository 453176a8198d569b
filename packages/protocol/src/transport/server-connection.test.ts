import { createDeferred } from '@switchyard/kernel';
import { createMemoryLog, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Link } from '../link.ts';
import { grpcStatus } from '../link.ts';
import { collect } from '../testing/link-collector.ts';
import {
  connectRawPeer,
  endHeaders,
  frameType,
  grpcHeaders,
  preface,
  type RawPeer,
  rawFrame,
} from '../testing/raw-http2.ts';
import { eventStreamPath } from './rpc-channel.ts';
import { createRpcServer, type RpcServer } from './rpc-server.ts';

const keepAlive = { intervalMs: 5_000, timeoutMs: 2_000 };

describe('ServerConnection', () => {
  let clock: VirtualClock;
  let log: MemoryLog;
  let server: RpcServer;
  let port: number;
  let accepted: ReturnType<typeof createDeferred<Link>>;

  beforeEach(async () => {
    clock = new VirtualClock();
    log = createMemoryLog(clock);
    accepted = createDeferred();
    const open = (link: Link): void => accepted.resolve(link);
    const methods = { [eventStreamPath]: { kind: 'stream' as const, open } };
    server = createRpcServer({ clock, log }, { methods, keepAlive, limits: { handshakeTimeoutMs: 3_000 } });
    ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(async () => {
    const closing = server.close(0);
    await clock.runUntil(closing);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a preface', preface.subarray(0, 10)],
    ['a preface without settings', preface],
    ['a preface and half a frame', Buffer.concat([preface, rawFrame(frameType.settings, 0, 0).subarray(0, 5)])],
  ])('I1: disconnects a peer that sends %s', async (_name, hello) => {
    const peer = await connectRawPeer(port, hello);
    while (clock.pendingTimers === 0) await clock.settle();
    await clock.advance(2_999);
    expect(peer.socket.destroyed).toBe(false);
    await clock.advance(1);
    await peer.closed;
    expect(log.withMessage('a connection ended')).toMatchObject([
      { fields: { reason: expect.stringContaining('sent no HTTP/2 settings for 3000 ms') } },
    ]);
  });

  it('I1: leaves a peer alone whose settings have come', async () => {
    const peer = await connectRawPeer(port);
    await peer.first(({ type, flags }) => type === frameType.settings && flags === 1);
    await clock.advance(4_000);
    expect(peer.socket.destroyed).toBe(false);
    peer.destroy();
  });

  it('I2: ends the links of a peer that goes silent', async () => {
    const peer = await connectRawPeer(port);
    peer.send(rawFrame(frameType.headers, endHeaders, 1, grpcHeaders(eventStreamPath)));
    const link = await accepted.promise;
    collect(link);
    await clock.advance(5_000);
    await peer.first(({ type }) => type === frameType.ping);
    await clock.advance(2_000);
    expect(await link.closed).toMatchObject({
      code: grpcStatus.unavailable,
      origin: 'transport',
      message: expect.stringContaining('PING, for 2000 ms'),
    });
    await peer.closed;
  });

  it.each([
    ['closes its socket', (peer: RawPeer) => peer.socket.destroy()],
    ['closes half of its socket', (peer: RawPeer) => peer.socket.end()],
    ['resets its socket', (peer: RawPeer) => peer.socket.resetAndDestroy()],
  ])('takes a peer that %s for lost, not for one that has ended its stream', async (_name, vanish) => {
    const peer = await connectRawPeer(port);
    peer.send(rawFrame(frameType.headers, endHeaders, 1, grpcHeaders(eventStreamPath)));
    const link = await accepted.promise;
    link.receive({ frame: () => {}, end: () => link.end() });
    await peer.first(({ type }) => type === frameType.headers);
    vanish(peer);
    expect(await link.closed).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
  });

  it('I2: keeps a peer that answers', async () => {
    const peer = await connectRawPeer(port);
    await peer.first(({ type, flags }) => type === frameType.settings && flags === 1);
    for (let round = 1; round <= 3; round += 1) {
      await clock.advance(5_000);
      const pings = (): number => peer.frames.filter(({ type }) => type === frameType.ping).length;
      while (pings() < round) await clock.settle();
      const ping = peer.frames.filter(({ type }) => type === frameType.ping).at(-1);
      peer.send(rawFrame(frameType.ping, 1, 0, ping?.payload ?? Buffer.alloc(8)));
      while (clock.nextDueMs !== clock.now() + 5_000) await clock.settle();
    }
    expect(peer.socket.destroyed).toBe(false);
    peer.destroy();
  });
});
