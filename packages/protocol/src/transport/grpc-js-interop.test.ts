/** The transport against grpc-js, an independent implementation of the same protocol: each end in turn. */
import * as grpc from '@grpc/grpc-js';
import { createDeferred, systemClock } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcStatus, type Link } from '../link.ts';
import { collect, turns } from '../testing/link-collector.ts';
import { createRpcChannel, eventStreamPath, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer } from './rpc-server.ts';

const message = 'nicht gefunden: 関数 "héllo" 100 % 😀';
const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

const bytes = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
};
const stream = { path: eventStreamPath, requestStream: true, responseStream: true, ...bytes };
const unary = { path: '/T/Double', requestStream: false, responseStream: false, ...bytes };

type Call = grpc.ClientDuplexStream<Buffer, Buffer>;

/** Messages of any size, first the small ones. */
function messages(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.alloc((index * 37) % 700, `message ${index} `));
}

/** Collects a grpc-js stream until it ends. */
function readAll(call: Call | grpc.ServerDuplexStream<Buffer, Buffer>): { received: Buffer[]; ended: Promise<void> } {
  const received: Buffer[] = [];
  call.on('data', (each: Buffer) => received.push(each));
  call.on('error', () => {});
  return { received, ended: new Promise((resolve) => call.on('end', resolve)) };
}

function statusOf(call: Call): Promise<grpc.StatusObject> {
  return new Promise((resolve) => call.on('status', resolve));
}

describe('a grpc-js client with our server', () => {
  let server: RpcServer;
  let client: grpc.Client;
  let port: number;
  let accepted: ReturnType<typeof createDeferred<Link>>;

  beforeEach(async () => {
    accepted = createDeferred();
    server = createRpcServer(
      { clock: systemClock },
      {
        methods: {
          [eventStreamPath]: { kind: 'stream', open: (link) => accepted.resolve(link) },
          '/T/Double': {
            kind: 'unary',
            call: (request) =>
              request.length === 0 ? { code: grpcStatus.invalidArgument, message } : Buffer.concat([request, request]),
          },
          '/T/Hang': { kind: 'unary', call: () => new Promise(() => {}) },
        },
      },
    );
    ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
    client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), unlimited);
  });
  afterEach(async () => {
    client.close();
    await server.close(0);
  });

  const open = (metadata = new grpc.Metadata()): Call =>
    client.makeBidiStreamRequest(stream.path, stream.requestSerialize, stream.responseDeserialize, metadata);
  const callUnary = (
    path: string,
    request: Buffer,
    options: grpc.CallOptions = {},
  ): Promise<Buffer | grpc.ServiceError> =>
    new Promise((resolve) => {
      const done = (error: grpc.ServiceError | null, value?: Buffer): void =>
        resolve(error ?? value ?? Buffer.alloc(0));
      client.makeUnaryRequest(path, unary.requestSerialize, unary.responseDeserialize, request, options, done);
    });

  it('exchanges thousands of messages in both directions and ends well', async () => {
    const call = open();
    const { received, ended } = readAll(call);
    const status = statusOf(call);
    const sent = messages(3000);
    for (const each of sent) call.write(each);
    call.end();
    const link = await accepted.promise;
    link.receive({ frame: (each) => void link.send(each), end: () => link.end() });
    await ended;
    expect((await status).code).toBe(0);
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
    expect(received).toHaveLength(sent.length);
    expect(await link.closed).toMatchObject({ code: 0, origin: 'local' });
  });

  it('exchanges messages of 24 MiB', async () => {
    const call = open();
    const { received, ended } = readAll(call);
    const large = Buffer.alloc(24 << 20, '0123456789');
    call.write(large);
    call.end();
    const link = await accepted.promise;
    link.receive({ frame: (each) => void link.send(each), end: () => link.end() });
    await ended;
    expect(received.length === 1 && received[0]?.equals(large)).toBe(true);
  });

  it('hands over metadata', async () => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', 'Bearer token');
    metadata.set('x-worker-id', 'w-1');
    const call = open(metadata);
    call.on('error', () => {});
    const link = await accepted.promise;
    expect(link.metadata.get('authorization')).toBe('Bearer token');
    expect(link.metadata.get('x-worker-id')).toBe('w-1');
    call.cancel();
    expect(await link.closed).toMatchObject({ code: grpcStatus.cancelled, origin: 'peer' });
  });

  it('learns our status, whatever script it is in', async () => {
    const call = open();
    const { received } = readAll(call);
    const status = statusOf(call);
    const link = await accepted.promise;
    link.send(Buffer.from('before'));
    link.end({ code: grpcStatus.notFound, message });
    expect(await status).toMatchObject({ code: grpcStatus.notFound, details: message });
    expect(received.map(String)).toEqual(['before']);
  });

  it('learns that we cancelled, also before anything was said', async () => {
    const call = open();
    readAll(call);
    const status = statusOf(call);
    (await accepted.promise).cancel({ code: grpcStatus.permissionDenied, message });
    expect(await status).toMatchObject({ code: grpcStatus.permissionDenied, details: message });
  });

  it('feels that we pause, and loses nothing', async () => {
    const call = open();
    readAll(call);
    const link = await accepted.promise;
    const received = collect(link);
    link.pause();
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    let flushed = 0;
    for (; written < 200; written += 1) {
      call.write(chunk, () => {
        flushed += 1;
      });
    }
    await turns(200);
    expect(flushed).toBeLessThan(100);
    link.resume();
    expect(await received.from(0, written)).toHaveLength(written);
    call.cancel();
    await link.closed;
  });

  it('makes us wait when it stops reading', async () => {
    const call = open();
    const { received, ended } = readAll(call);
    call.once('data', () => call.pause());
    const link = await accepted.promise;
    const chunk = Buffer.alloc(64 * 1024, 1);
    let sent = 0;
    for (; sent < 1000; sent += 1) {
      if (link.send(chunk)) continue;
      const drained = link.drained().then(() => 'drained');
      if ((await Promise.race([drained, turns(200)])) !== 'drained') break;
    }
    expect(sent).toBeLessThan(1000);
    call.resume();
    link.end();
    await ended;
    expect(received).toHaveLength(sent + 1);
  });

  it('calls unary methods, and learns their errors and deadlines', async () => {
    expect(String(await callUnary('/T/Double', Buffer.from('ab')))).toBe('abab');
    expect(await callUnary('/T/Double', Buffer.alloc(0))).toMatchObject({
      code: grpcStatus.invalidArgument,
      details: message,
    });
    expect(await callUnary('/No/Such', Buffer.alloc(0))).toMatchObject({ code: grpcStatus.unimplemented });
    expect(await callUnary('/T/Hang', Buffer.alloc(0), { deadline: Date.now() + 50 })).toMatchObject({
      code: grpcStatus.deadlineExceeded,
    });
  });

  it('is told that we do not decompress', async () => {
    const zipped = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.default_compression_algorithm': 2,
    });
    const call = zipped.makeBidiStreamRequest(stream.path, stream.requestSerialize, stream.responseDeserialize);
    readAll(call);
    const status = statusOf(call);
    call.write(Buffer.alloc(10_000, 'a'));
    collect(await accepted.promise);
    expect(await status).toMatchObject({ code: grpcStatus.unimplemented, details: expect.stringContaining('gzip') });
    zipped.close();
  });

  it('sees UNAVAILABLE when we shut down', async () => {
    const call = open();
    readAll(call);
    const status = statusOf(call);
    collect(await accepted.promise);
    await server.close(0);
    expect(await status).toMatchObject({ code: grpcStatus.unavailable });
  });
});

describe('our client with a grpc-js server', () => {
  let server: grpc.Server;
  let channel: RpcChannel;
  let onCall: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => void;

  beforeEach(async () => {
    server = new grpc.Server(unlimited);
    server.addService(
      { EventStream: stream, Double: unary, Hang: { ...unary, path: '/T/Hang' } },
      {
        EventStream: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => onCall(call),
        Double: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) =>
          call.request.length === 0
            ? done({ code: grpcStatus.invalidArgument, details: message })
            : done(null, Buffer.concat([call.request, call.request])),
        Hang: () => {},
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
  });
  afterEach(async () => {
    await channel.close(0);
    server.forceShutdown();
  });

  const echo = (call: grpc.ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('data', (each: Buffer) => call.write(each));
    call.on('end', () => call.end());
    call.on('error', () => {});
  };

  it('exchanges thousands of messages in both directions and ends well', async () => {
    onCall = echo;
    const link = channel.eventStream();
    const received = collect(link);
    const sent = messages(3000);
    for (const each of sent) link.send(each);
    link.end();
    expect(await link.closed).toEqual({ code: 0, message: 'OK', origin: 'peer' });
    expect(received.frames).toHaveLength(sent.length);
    expect(Buffer.concat(received.frames).equals(Buffer.concat(sent))).toBe(true);
  });

  it('exchanges messages of 24 MiB', async () => {
    onCall = echo;
    const link = channel.eventStream();
    const received = collect(link);
    const large = Buffer.alloc(24 << 20, '0123456789');
    link.send(large);
    const [back] = await received.from(0, 1);
    expect(large.equals(back ?? Buffer.alloc(0))).toBe(true);
    link.end();
    expect((await link.closed).code).toBe(0);
  });

  it('hands over metadata, and is not kept waiting by a server that says nothing', async () => {
    const seen = createDeferred<grpc.Metadata>();
    onCall = (call) => {
      call.on('error', () => {});
      seen.resolve(call.metadata);
    };
    const link = channel.eventStream({ metadata: new Map([['authorization', 'Bearer token']]) });
    expect((await seen.promise).get('authorization')).toEqual(['Bearer token']);
    expect(link.send(Buffer.from('x'))).toBe(true);
    await link.drained();
    link.cancel({ code: grpcStatus.cancelled, message: '' });
  });

  it('learns the status of the server, after its messages and without any', async () => {
    onCall = (call) => {
      call.write(Buffer.from('before'));
      call.emit('error', { code: grpcStatus.notFound, details: message });
    };
    const link = channel.eventStream();
    const received = collect(link);
    expect(await link.closed).toEqual({ code: grpcStatus.notFound, message, origin: 'peer' });
    expect(received.frames.map(String)).toEqual(['before']);
    onCall = (call) => call.emit('error', { code: grpcStatus.unauthenticated, details: 'no token' });
    expect(await channel.eventStream().closed).toEqual({
      code: grpcStatus.unauthenticated,
      message: 'no token',
      origin: 'peer',
    });
  });

  it('cancels the call of the server', async () => {
    const cancelled = createDeferred<void>();
    onCall = (call) => {
      echo(call);
      call.on('cancelled', () => cancelled.resolve());
    };
    const link = channel.eventStream();
    const received = collect(link);
    link.send(Buffer.from('x'));
    await received.from(0, 1);
    link.cancel({ code: grpcStatus.aborted, message: '' });
    await cancelled.promise;
    expect((await link.closed).origin).toBe('local');
  });

  it('waits for a server that does not read, and loses nothing', async () => {
    const reading = createDeferred<grpc.ServerDuplexStream<Buffer, Buffer>>();
    onCall = (call) => reading.resolve(call);
    const link = channel.eventStream();
    collect(link);
    const chunk = Buffer.alloc(64 * 1024, 1);
    let sent = 0;
    for (; sent < 1000; sent += 1) {
      if (link.send(chunk)) continue;
      const drained = link.drained().then(() => 'drained');
      if ((await Promise.race([drained, turns(200)])) !== 'drained') break;
    }
    expect(sent).toBeLessThan(1000);
    const call = await reading.promise;
    const { received, ended } = readAll(call);
    link.end();
    await ended;
    expect(received).toHaveLength(sent + 1);
    call.end();
    expect((await link.closed).code).toBe(0);
  });

  it('makes the server wait when we pause', async () => {
    let flushed = 0;
    const total = 200;
    onCall = (call) => {
      call.on('error', () => {});
      for (let n = 0; n < total; n += 1) {
        call.write(Buffer.alloc(64 * 1024), () => {
          flushed += 1;
        });
      }
      call.end();
    };
    const link = channel.eventStream();
    const received = collect(link, () => {
      if (received.frames.length === 1) link.pause();
    });
    await received.from(0, 1);
    await turns(200);
    expect(flushed).toBeLessThan(100);
    link.resume();
    expect((await link.closed).code).toBe(0);
    expect(received.frames).toHaveLength(total);
  });

  it('calls unary methods, and learns their errors and deadlines', async () => {
    const answer = await channel.unary('/T/Double', Buffer.from('ab'));
    expect(answer.kind === 'answered' && String(answer.message)).toBe('abab');
    expect(await channel.unary('/T/Double', Buffer.alloc(0))).toEqual({
      kind: 'failed',
      status: { code: grpcStatus.invalidArgument, message, origin: 'peer' },
    });
    expect(await channel.unary('/No/Such', Buffer.alloc(0))).toMatchObject({
      status: { code: grpcStatus.unimplemented },
    });
    expect(await channel.unary('/T/Hang', Buffer.alloc(0), { timeoutMs: 50 })).toMatchObject({
      status: { code: grpcStatus.deadlineExceeded },
    });
  });

  it('ends with a reason when the server is killed, and goes on while it shuts down politely', async () => {
    onCall = echo;
    const link = channel.eventStream();
    const received = collect(link);
    link.send(Buffer.from('one'));
    await received.from(0, 1);
    server.tryShutdown(() => {});
    link.send(Buffer.from('two'));
    await received.from(1, 1);
    server.forceShutdown();
    expect((await link.closed).code).not.toBe(0);
  });
});
