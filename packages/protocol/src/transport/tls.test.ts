import { systemClock } from '@switchyard/kernel';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { connectRawPeer } from '../testing/raw-http2.ts';
import { createSelfSigned, type SelfSigned } from '../testing/self-signed.ts';
import type { ClientTlsOptions } from './client-connection.ts';
import { createRpcChannel, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer, type ServerTlsOptions } from './rpc-server.ts';
import type { UnaryOutcome } from './unary.ts';

let serverId: SelfSigned;
let clientId: SelfSigned;
let server: RpcServer | undefined;
let channel: RpcChannel | undefined;

beforeAll(() => {
  serverId = createSelfSigned('server');
  clientId = createSelfSigned('client');
});
afterEach(async () => {
  await Promise.all([channel?.close(0), server?.close(0)]);
});

async function start(tls: Partial<ServerTlsOptions> = {}): Promise<number> {
  server = createRpcServer(
    { clock: systemClock },
    { methods: { '/T/Echo': { kind: 'unary', call: (request) => request } }, tls: { ...serverId, ...tls } },
  );
  return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
}

function call(endpoint: string, tls?: ClientTlsOptions): Promise<UnaryOutcome> {
  channel = createRpcChannel({ clock: systemClock }, { endpoint, ...(tls ? { tls } : {}) });
  return channel.unary('/T/Echo', Buffer.from('hello'));
}

describe('TLS', () => {
  it.each(['127.0.0.1', 'localhost'])('carries calls to %s, whose certificate is checked', async (host) => {
    const outcome = await call(`https://${host}:${await start()}`, { ca: serverId.certificate });
    expect(outcome.kind === 'answered' && String(outcome.message)).toBe('hello');
  });

  it('refuses a server that nobody vouches for', async () => {
    const outcome = await call(`https://127.0.0.1:${await start()}`);
    expect(outcome).toMatchObject({ kind: 'failed', status: { code: grpcStatus.unavailable, origin: 'transport' } });
    expect(outcome.kind === 'failed' && outcome.status.message).toMatch(/self.signed.*name the authority/i);
  });

  it('shows a renewed certificate to new connections, and keeps those that are open', async () => {
    const port = await start();
    const endpoint = `https://127.0.0.1:${port}`;
    expect((await call(endpoint, { ca: serverId.certificate })).kind).toBe('answered');
    const open = channel;
    server?.renewCertificate(clientId.certificate, clientId.key);
    expect((await open?.unary('/T/Echo', Buffer.from('again')))?.kind).toBe('answered');
    expect((await call(endpoint, { ca: clientId.certificate })).kind).toBe('answered');
    await open?.close(0);
    expect(() => server?.renewCertificate(clientId.certificate, serverId.key)).toThrow(/mismatch/);
  });

  it('refuses a server under another name', async () => {
    const outcome = await call(`https://127.0.0.1:${await start()}`, {
      ca: serverId.certificate,
      serverName: 'other.example',
    });
    expect(outcome).toMatchObject({ kind: 'failed', status: { code: grpcStatus.unavailable } });
  });

  it('lets in a client with the right certificate, and no other', async () => {
    const port = await start({ clientCa: clientId.certificate });
    const endpoint = `https://127.0.0.1:${port}`;
    expect((await call(endpoint, { ca: serverId.certificate, ...clientId })).kind).toBe('answered');
    await channel?.close(0);
    expect(await call(endpoint, { ca: serverId.certificate })).toMatchObject({
      status: { code: grpcStatus.unavailable },
    });
  });

  it('refuses a server that another authority vouches for, and says what to do', async () => {
    const outcome = await call(`https://127.0.0.1:${await start()}`, { ca: clientId.certificate });
    expect(outcome).toMatchObject({ kind: 'failed', status: { code: grpcStatus.unavailable, origin: 'transport' } });
    expect(outcome.kind === 'failed' && outcome.status.message).toMatch(
      /^cannot connect to 127\.0\.0\.1:\d+: .*name the authority/,
    );
  });

  it('tells a client without a certificate that one is wanted', async () => {
    const port = await start({ clientCa: clientId.certificate });
    const outcome = await call(`https://127.0.0.1:${port}`, { ca: serverId.certificate });
    expect(outcome.kind === 'failed' && outcome.status.message).toMatch(/wants a client certificate/);
  });

  it('refuses keys and certificates that cannot be used before anything listens or connects', () => {
    const invalid = expect.objectContaining({ code: 'RPC_TLS_INVALID' });
    const tls = { certificate: serverId.certificate, key: clientId.key };
    expect(() => createRpcServer({ clock: systemClock }, { methods: {}, tls })).toThrow(invalid);
    expect(() => createRpcChannel({ clock: systemClock }, { endpoint: 'https://127.0.0.1:1', tls })).toThrow(invalid);
  });

  it('gives up on a plaintext client of a TLS server, and on a TLS client of a plaintext server', async () => {
    const port = await start();
    expect(await call(`http://127.0.0.1:${port}`)).toMatchObject({ status: { code: grpcStatus.unavailable } });
    await channel?.close(0);
    const noise = await connectRawPeer(port, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await noise.closed;
    const outcome = await call(`https://localhost:${port}`, { ca: serverId.certificate });
    expect(outcome.kind).toBe('answered');
  });
});
