import { createServer } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { type ComputeTarget, createComputeTargets } from '@switchyard/control-plane';
import { afterEach, describe, expect, it } from 'vitest';
import { createProbeKinds } from './probe-kinds.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const observed = {
  serviceId: 'shop',
  componentType: 'app',
  version: 'v1',
  weights: [],
  replicas: 1,
  limits: {},
  status: 'running',
} as const;
const states: Record<string, 'running' | 'failed' | 'unknown'> = { shop: 'running', stock: 'failed', fresh: 'unknown' };
const target = {
  name: 'memory',
  get: async (serviceId: string) =>
    Object.hasOwn(states, serviceId) ? { ...observed, serviceId, status: states[serviceId] } : undefined,
} as unknown as ComputeTarget;

const kinds = createProbeKinds({
  targets: createComputeTargets([target]),
  fetch,
  environment: { PATH: process.env.PATH },
});
const of = () => ({ serviceId: 'shop', computeTarget: 'memory', signal: new AbortController().signal });
const timing = { name: 'p', purpose: 'liveness', timeoutMs: 2_000 } as const;

describe('http probes', () => {
  it.each([
    [200, undefined, 'passed'],
    [302, undefined, 'passed'],
    [404, undefined, 'failed'],
    [500, undefined, 'failed'],
    [503, 503, 'passed'],
    [200, 204, 'failed'],
  ] as const)('an answer of %i where %s is wanted has %s', async (status, wanted, outcome) => {
    const port = await listen(createServer((_, response) => response.writeHead(status, { location: '/' }).end('x')));
    const url = `http://127.0.0.1:${port}/`;
    const verdict = await kinds.http(
      { kind: 'http', ...timing, url, ...(wanted === undefined ? {} : { status: wanted }) },
      of(),
    );
    expect(verdict.outcome).toBe(outcome);
  });

  it('nobody there has failed', async () => {
    expect(await kinds.http({ kind: 'http', ...timing, url: 'http://127.0.0.1:1/' }, of())).toMatchObject({
      outcome: 'failed',
    });
  });
});

describe('tcp probes', () => {
  it('a port that is open has passed, a closed one failed', async () => {
    const port = await listen(createTcp());
    expect(await kinds.tcp({ kind: 'tcp', ...timing, host: '127.0.0.1', port }, of())).toMatchObject({
      outcome: 'passed',
    });
    expect(await kinds.tcp({ kind: 'tcp', ...timing, host: '127.0.0.1', port: 1 }, of())).toMatchObject({
      outcome: 'failed',
    });
  });
});

describe('exec probes', () => {
  it.each([
    [['true'], 'passed'],
    [['false'], 'failed'],
    [['sh', '-c', 'test "$1" = "a b; c"', '-', 'a b; c'], 'passed'],
    [['no-such-program-anywhere'], 'unknown'],
  ] as const)('%j has %s', async (command, outcome) => {
    expect(await kinds.exec({ kind: 'exec', ...timing, command: [...command] }, of())).toMatchObject({ outcome });
  });

  it('gives the program nothing of the environment but what it was allowed', async () => {
    process.env.PROBE_SECRET_OF_TEST = 'x';
    const verdict = await kinds.exec(
      { kind: 'exec', ...timing, command: ['sh', '-c', 'test -z "$PROBE_SECRET_OF_TEST"'] },
      of(),
    );
    expect(verdict.outcome).toBe('passed');
  });
});

describe('grpc probes', () => {
  async function serve(answer: (stream: ServerHttp2Stream, asked: Buffer) => void): Promise<number> {
    const server = createHttp2();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      expect(headers[':path']).toBe('/grpc.health.v1.Health/Check');
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => answer(stream, Buffer.concat(parts)));
    });
    return listen(server as unknown as Server);
  }
  const reply =
    (status: number, grpcStatus = '0') =>
    (stream: ServerHttp2Stream): void => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
    };

  it.each([
    [1, '0', 'passed'],
    [2, '0', 'failed'],
    [1, '14', 'failed'],
  ] as const)('status %i with gRPC status %s has %s', async (status, grpcStatus, outcome) => {
    const port = await serve(reply(status, grpcStatus));
    expect(await kinds.grpc({ kind: 'grpc', ...timing, host: '127.0.0.1', port }, of())).toMatchObject({ outcome });
  });

  it('asks for the service by its name', async () => {
    let asked: Buffer = Buffer.alloc(0);
    const port = await serve((stream, body) => {
      asked = body;
      reply(1)(stream);
    });
    await kinds.grpc({ kind: 'grpc', ...timing, host: '127.0.0.1', port, service: 'shop' }, of());
    expect(asked).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 0, 6, 0x0a, 4]), Buffer.from('shop')]));
  });

  it('nobody there has failed', async () => {
    expect(await kinds.grpc({ kind: 'grpc', ...timing, host: '127.0.0.1', port: 1 }, of())).toMatchObject({
      outcome: 'failed',
    });
  });
});

describe('target probes', () => {
  it('asks the target of the service, and for what it depends on any target', async () => {
    const probe = { kind: 'target', ...timing } as const;
    expect(await kinds.target(probe, of())).toMatchObject({ outcome: 'passed' });
    expect(await kinds.target({ ...probe, serviceId: 'stock' }, of())).toMatchObject({
      outcome: 'failed',
      message: 'stock is failed',
    });
    expect(await kinds.target({ ...probe, serviceId: 'ghost' }, of())).toMatchObject({
      outcome: 'failed',
      message: 'ghost is not there',
    });
    expect(await kinds.target({ ...probe, serviceId: 'fresh' }, of())).toMatchObject({ outcome: 'unknown' });
    await expect(kinds.target(probe, { ...of(), computeTarget: 'elsewhere' })).rejects.toMatchObject({
      code: 'TARGET_UNKNOWN',
    });
  });
});
