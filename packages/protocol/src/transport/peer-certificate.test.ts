import { X509Certificate } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { createDeferred, systemClock } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import type { Link } from '../link.ts';
import { createSelfSigned } from '../testing/self-signed.ts';
import type { ClientTlsOptions } from './client-connection.ts';
import { createMemoryLinkPair } from './memory-link.ts';
import type { Metadata } from './metadata.ts';
import { peerCertificateMetadata, readPeerCertificate, withPeerCertificate } from './peer-certificate.ts';
import { createRpcChannel, eventStreamPath, type RpcChannel } from './rpc-channel.ts';
import { createRpcServer, type RpcServer, type ServerTlsOptions } from './rpc-server.ts';

const serverId = createSelfSigned('server');
const clientId = createSelfSigned('pod-7');
const strangerId = createSelfSigned('stranger');
const forged: Metadata = new Map([
  [peerCertificateMetadata, JSON.stringify({ commonName: 'root', fingerprint: '00' })],
  ['authorization', 'Bearer token'],
]);

let server: RpcServer | undefined;
let channel: RpcChannel | undefined;

afterEach(async () => {
  await channel?.close(0);
  await server?.close(0);
});

async function listen(tls?: Partial<ServerTlsOptions>): Promise<{ port: number; accepted: Promise<Link> }> {
  const accepted = createDeferred<Link>();
  server = createRpcServer(
    { clock: systemClock },
    {
      methods: { [eventStreamPath]: { kind: 'stream', open: (link) => accepted.resolve(link) } },
      ...(tls ? { tls: { ...serverId, ...tls } } : {}),
    },
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { port, accepted: accepted.promise };
}

/** The metadata that the server sees of a stream which claims a certificate that it does not have. */
async function seenByServer(tls?: Partial<ServerTlsOptions>, client: ClientTlsOptions = {}): Promise<Metadata> {
  const { port, accepted } = await listen(tls);
  const endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  channel = createRpcChannel({ clock: systemClock }, { endpoint, tls: { ca: serverId.certificate, ...client } });
  const link = channel.eventStream({ metadata: forged });
  const lost = link.closed.then(({ message }) => Promise.reject(new Error(message)));
  return (await Promise.race([accepted, lost])).metadata;
}

describe('the certificate of a peer', () => {
  it('is told by its common name and fingerprint, whatever the peer says', async () => {
    const metadata = await seenByServer({ clientCa: clientId.certificate }, clientId);
    expect(readPeerCertificate(metadata)).toEqual({
      commonName: 'pod-7',
      fingerprint: new X509Certificate(clientId.certificate).fingerprint256,
    });
    expect(metadata.get('authorization')).toBe('Bearer token');
  });

  it('is not told without TLS, and without a certificate', async () => {
    expect(readPeerCertificate(await seenByServer())).toBeUndefined();
    await channel?.close(0);
    await server?.close(0);
    expect(readPeerCertificate(await seenByServer({}))).toBeUndefined();
  });

  it('is told where it is only asked for, and not when its authority is a stranger', async () => {
    const tls = { clientCa: clientId.certificate, clientCertificate: 'requested' } as const;
    expect(readPeerCertificate(await seenByServer(tls, clientId))?.commonName).toBe('pod-7');
    await channel?.close(0);
    await server?.close(0);
    expect(readPeerCertificate(await seenByServer(tls, strangerId))).toBeUndefined();
    await channel?.close(0);
    await server?.close(0);
    expect(readPeerCertificate(await seenByServer(tls))).toBeUndefined();
  });

  it('is not believed in memory either', () => {
    const { acceptor } = createMemoryLinkPair({ metadata: forged });
    expect(readPeerCertificate(acceptor.metadata)).toBeUndefined();
    expect(acceptor.metadata.get('authorization')).toBe('Bearer token');
  });

  it('leaves metadata alone that has nothing to do with it', () => {
    const sent: Metadata = new Map([['a', 'b']]);
    expect(withPeerCertificate(sent, undefined)).toBe(sent);
  });

  it('comes with the streams of a foreign client over TLS', async () => {
    const { port, accepted } = await listen({ clientCa: clientId.certificate });
    const credentials = grpc.credentials.createSsl(
      Buffer.from(serverId.certificate),
      Buffer.from(clientId.key),
      Buffer.from(clientId.certificate),
    );
    const client = new grpc.Client(`localhost:${port}`, credentials);
    const plain = (value: Buffer): Buffer => value;
    const call = client.makeBidiStreamRequest(eventStreamPath, plain, plain);
    const answered = new Promise<Buffer>((resolve) => call.on('data', resolve));
    const status = new Promise<grpc.StatusObject>((resolve) => call.on('status', resolve));
    call.write(Buffer.from('hello'));
    const link = await accepted;
    expect(readPeerCertificate(link.metadata)?.commonName).toBe('pod-7');
    link.receive({
      frame: (bytes) => {
        link.send(bytes);
        link.end();
      },
    });
    expect(String(await answered)).toBe('hello');
    expect((await status).code).toBe(0);
    client.close();
  });
});
