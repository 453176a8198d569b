import { systemClock } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { grpcStatus, type Link } from '../link.ts';
import { collect } from '../testing/link-collector.ts';
import { createRpcChannel, eventStreamPath, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer } from './rpc-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that echoes and remembers its links. */
async function startEcho(port = 0): Promise<{ server: RpcServer; port: number; links: Link[] }> {
  const links: Link[] = [];
  const open = (link: Link): void => {
    links.push(link);
    link.receive({ frame: (bytes) => void link.send(bytes), end: () => link.end() });
  };
  const methods = { [eventStreamPath]: { kind: 'stream' as const, open } };
  const server = createRpcServer({ clock: systemClock }, { methods });
  cleanups.push(() => server.close(0));
  return { server, links, port: (await server.listen({ host: '127.0.0.1', port })).port };
}

function openChannel(port: number): RpcChannel {
  const channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
  cleanups.push(() => channel.close(0));
  return channel;
}

async function echoOf(link: Link, text: string): Promise<string> {
  const received = collect(link);
  link.send(Buffer.from(text));
  return String((await received.from(0, 1))[0]);
}

describe('RpcChannel', () => {
  it('I1: all streams share one connection', async () => {
    const { port, links } = await startEcho();
    const channel = openChannel(port);
    const opened = Array.from({ length: 20 }, () => channel.eventStream());
    const echoes = await Promise.all(opened.map((link, index) => echoOf(link, `stream ${index}`)));
    expect(echoes).toEqual(opened.map((_link, index) => `stream ${index}`));
    expect(new Set(links.map((link) => link.peer)).size).toBe(1);
  });

  it('I1: a lost connection is replaced for the next stream', async () => {
    const first = await startEcho();
    const channel = openChannel(first.port);
    const link = channel.eventStream();
    await echoOf(link, 'once');
    await first.server.close(0);
    expect(await link.closed).toMatchObject({ code: grpcStatus.unavailable });
    const second = await startEcho(first.port);
    expect(await echoOf(channel.eventStream(), 'again')).toBe('again');
    expect(second.links).toHaveLength(1);
  });

  it('I1, I3: streams of a connection that takes no more go on beside a new one, and close waits for both', async () => {
    const first = await startEcho();
    const channel = openChannel(first.port);
    const old = channel.eventStream();
    await echoOf(old, 'old');
    const draining = first.server.close(60_000);
    const second = await startEcho(first.port);
    // Until the goodbye has arrived, a stream may still be opened on the old connection, which refuses it.
    let next = channel.eventStream();
    while ((await Promise.race([echoOf(next, 'next'), next.closed])) !== 'next') next = channel.eventStream();
    expect(await echoOf(old, 'old again')).toBe('old again');
    expect(second.links).toHaveLength(1);
    await channel.close(0);
    for (const link of [old, next]) expect(await link.closed).toMatchObject({ code: grpcStatus.unavailable });
    await draining;
  });

  it('I2: opening answers at once, before there is a connection, and frames wait', async () => {
    const { port } = await startEcho();
    const link = openChannel(port).eventStream();
    expect(link.send(Buffer.from('early'))).toBe(true);
    link.end();
    const received = collect(link);
    expect((await received.from(0, 1)).map(String)).toEqual(['early']);
    expect((await link.closed).code).toBe(0);
  });

  it('I2: an unknown method ends the link with UNIMPLEMENTED', async () => {
    const { port } = await startEcho();
    const link = openChannel(port).eventStream({ path: '/No/Such' });
    expect(await link.closed).toEqual({
      code: grpcStatus.unimplemented,
      message: 'this server has no method /No/Such',
      origin: 'peer',
    });
  });

  it('I2: a signal cancels the stream, before and after it was opened', async () => {
    const { port, links } = await startEcho();
    const channel = openChannel(port);
    const early = channel.eventStream({ signal: AbortSignal.abort() });
    expect(await early.closed).toMatchObject({ code: grpcStatus.cancelled, origin: 'local' });
    const controller = new AbortController();
    const link = channel.eventStream({ signal: controller.signal });
    await echoOf(link, 'x');
    controller.abort();
    expect(await link.closed).toMatchObject({ code: grpcStatus.cancelled, origin: 'local' });
    expect(await links.at(-1)?.closed).toMatchObject({ code: grpcStatus.cancelled, origin: 'peer' });
  });

  it('I2: cancelling while the connection is still being made ends the link and nothing else', async () => {
    const { port } = await startEcho();
    const channel = openChannel(port);
    const [cancelled, other] = [channel.eventStream(), channel.eventStream()];
    cancelled.cancel({ code: grpcStatus.aborted, message: 'changed my mind' });
    expect(await cancelled.closed).toMatchObject({ code: grpcStatus.aborted, origin: 'local' });
    expect(await echoOf(other, 'fine')).toBe('fine');
  });

  it('I2: bad metadata and a bad endpoint are errors of the caller', async () => {
    const channel = openChannel(1);
    const metadata = new Map([['Bad Name', 'x']]);
    await expect(channel.unary('/T/X', Buffer.alloc(0), { metadata })).rejects.toThrow("'Bad Name'");
    expect(() => channel.eventStream({ metadata: new Map([['Bad Name', 'x']]) })).toThrow("'Bad Name'");
    expect(() => createRpcChannel({ clock: systemClock }, { endpoint: 'ftp://x' })).toThrow('http://host:port');
  });

  it('I3: close waits for open streams, opens none, and then the connection is gone', async () => {
    const { port, links } = await startEcho();
    const channel = openChannel(port);
    const link = channel.eventStream();
    await echoOf(link, 'open');
    let isClosed = false;
    const closing = channel.close(60_000).then(() => {
      isClosed = true;
    });
    const late = channel.eventStream();
    expect(late.send(Buffer.from('x'))).toBe(false);
    expect(late.metadata.size + late.bufferedBytes).toBe(0);
    expect(await late.closed).toMatchObject({ code: grpcStatus.unavailable, origin: 'local' });
    expect(await echoOf(link, 'still open')).toBe('still open');
    expect(isClosed).toBe(false);
    link.end();
    expect((await link.closed).code).toBe(0);
    await closing;
    expect(await links[0]?.closed).toMatchObject({ code: 0 });
  });

  it('I3: close ends streams that outlive the deadline', async () => {
    const { port, links } = await startEcho();
    const channel = openChannel(port);
    const link = channel.eventStream();
    await echoOf(link, 'open');
    await channel.close(0);
    expect(await link.closed).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
    expect(await links[0]?.closed).toMatchObject({ code: grpcStatus.unavailable, origin: 'transport' });
  });

  it('I3: a channel that was never used closes at once', async () => {
    expect(await openChannel(1).close(60_000)).toBeUndefined();
  });
});
