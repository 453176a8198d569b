import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { isPlatformError, systemClock } from '@switchyard/kernel';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus, type Link } from '../link.ts';
import { collect } from '../testing/link-collector.ts';
import { grpcMessage } from '../testing/raw-http2.ts';
import { createRpcChannel, eventStreamPath, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer } from './rpc-server.ts';

const log = createMemoryLog();

function createEcho(): RpcServer {
  const methods = {
    [eventStreamPath]: {
      kind: 'stream' as const,
      open: (link: Link) => link.receive({ frame: (bytes) => void link.send(bytes), end: () => link.end() }),
    },
    '/Test/Refuse': {
      kind: 'stream' as const,
      open: (link: Link) => link.cancel({ code: grpcStatus.permissionDenied, message: 'not today' }),
    },
    '/Test/Throw': {
      kind: 'stream' as const,
      open: () => {
        throw new Error('secret detail');
      },
    },
  };
  return createRpcServer({ clock: systemClock, log }, { methods, limits: { maxMessageBytes: 100_000 } });
}

describe('RpcServer', () => {
  let server: RpcServer;
  let port: number;
  let channel: RpcChannel;
  let raw: ClientHttp2Session;

  beforeEach(async () => {
    server = createEcho();
    ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
    channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
    raw = connect(`http://127.0.0.1:${port}`);
    raw.on('error', () => {});
  });
  afterEach(async () => {
    raw.destroy();
    await Promise.all([channel.close(0), server.close(0)]);
  });

  /** The response headers for a request made by hand. */
  const ask = (
    headers: Record<string, string>,
    body = Buffer.alloc(0),
  ): Promise<IncomingHttpHeaders & IncomingHttpStatusHeader> =>
    new Promise((resolve, reject) => {
      const stream = raw.request({
        ':method': 'POST',
        ':path': eventStreamPath,
        'content-type': 'application/grpc',
        ...headers,
      });
      stream.on('response', resolve);
      stream.on('error', reject);
      stream.resume();
      if (!stream.writableEnded) stream.end(body);
    });

  /** Proves that a stream which was open before still works. */
  const stillEchoes = async (link: Link, received: ReturnType<typeof collect>): Promise<void> => {
    const before = received.frames.length;
    link.send(Buffer.from('still fine'));
    expect((await received.from(before, 1)).map(String)).toEqual(['still fine']);
  };

  it.each([
    [{ 'content-type': 'application/json' }, { ':status': 415 }],
    [{ ':method': 'GET' }, { ':status': 405 }],
    [{ ':path': '/No/Such' }, { ':status': 200, 'grpc-status': '12' }],
    [{ ':path': '/__proto__' }, { ':status': 200, 'grpc-status': '12' }],
    [{ 'grpc-timeout': 'soon' }, { ':status': 200, 'grpc-status': '13' }],
  ])('I1: answers %j and disturbs no other stream', async (headers, expected) => {
    const link = channel.eventStream();
    const received = collect(link);
    await stillEchoes(link, received);
    const body = ':method' in headers ? Buffer.alloc(0) : Buffer.alloc(70_000);
    expect(await ask(headers, body)).toMatchObject(expected);
    await stillEchoes(link, received);
  });

  it('I1: a refusal in the handler comes as one block of headers', async () => {
    expect(await ask({ ':path': '/Test/Refuse' })).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '7',
      'grpc-message': 'not today',
    });
  });

  it('I1: sends its headers before the handler has anything to say', async () => {
    const stream = raw.request({ ':method': 'POST', ':path': eventStreamPath, 'content-type': 'application/grpc' });
    const headers = await new Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>((resolve) =>
      stream.on('response', resolve),
    );
    expect(headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-accept-encoding': 'identity',
    });
    stream.close();
  });

  it('I2: a handler that throws ends its stream with INTERNAL, logged, without its text', async () => {
    const end = await channel.eventStream({ path: '/Test/Throw' }).closed;
    expect(end).toMatchObject({ code: grpcStatus.internal });
    expect(end.message).not.toContain('secret');
    expect(log.withMessage('a stream handler threw')[0]?.fields).toMatchObject({ error: 'secret detail' });
  });

  it.each([
    ['a message above the limit', grpcMessage(Buffer.alloc(0), 200_000), '8', /200000.*100000/],
    ['a compressed message', grpcMessage(Buffer.from('x'), 1, 1), '13', /compressed/],
    ['an unknown flag', grpcMessage(Buffer.from('x'), 1, 77), '13', /flag 77/],
    ['half a message', grpcMessage(Buffer.from('x'), 10), '13', /middle of a message/],
  ])('I2: %s ends its stream alone', async (_name, bytes, code, message) => {
    const link = channel.eventStream();
    const received = collect(link);
    await stillEchoes(link, received);
    const neighbour = raw.request({ ':method': 'POST', ':path': eventStreamPath, 'content-type': 'application/grpc' });
    const guilty = raw.request({ ':method': 'POST', ':path': eventStreamPath, 'content-type': 'application/grpc' });
    const trailers = new Promise<Record<string, unknown>>((resolve) => guilty.on('trailers', resolve));
    guilty.resume();
    guilty.end(bytes);
    const status = await trailers;
    expect(status['grpc-status']).toBe(code);
    expect(decodeURIComponent(String(status['grpc-message']))).toMatch(message);
    const echoed = new Promise<Buffer>((resolve) => neighbour.once('data', resolve));
    neighbour.write(grpcMessage(Buffer.from('same connection')));
    expect((await echoed).subarray(5).toString()).toBe('same connection');
    neighbour.close();
    await stillEchoes(link, received);
  });

  it('I3: close lets open streams end, and takes no new connection', async () => {
    const link = channel.eventStream();
    const received = collect(link);
    await stillEchoes(link, received);
    const closing = server.close(60_000);
    const again = server.close(1);
    await stillEchoes(link, received);
    expect(server.address).toBeUndefined();
    link.end();
    expect((await link.closed).code).toBe(0);
    raw.close();
    await Promise.all([closing, again]);
    const late = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
    expect((await late.eventStream().closed).code).toBe(grpcStatus.unavailable);
    await late.close(0);
    await server.close(0);
  });

  it('I3: streams that outlive the deadline end with UNAVAILABLE, and every socket goes', async () => {
    const link = channel.eventStream();
    await stillEchoes(link, collect(link));
    const gone = new Promise<void>((resolve) => raw.once('close', resolve));
    await server.close(0);
    expect(await link.closed).toEqual({
      code: grpcStatus.unavailable,
      message: 'the server is shutting down',
      origin: 'peer',
    });
    await gone;
  });

  it('says which port is taken, and what to do', async () => {
    const second = createEcho();
    let thrown: unknown;
    await second.listen({ host: '127.0.0.1', port }).catch((error) => {
      thrown = error;
    });
    expect(isPlatformError(thrown) && thrown.code).toBe('RPC_LISTEN_FAILED');
    expect(String(thrown)).toContain(`127.0.0.1:${port}`);
    await second.close(0);
  });

  it('closes while it is still starting, and before it has started', async () => {
    const starting = createEcho();
    const listening = starting.listen({ host: '127.0.0.1', port: 0 });
    await starting.close(0);
    await listening;
    expect(starting.address).toBeUndefined();
    await createEcho().close(0);
  });
});
