/** Links over TLS, both ends with certificates: the contract of links, and grpc-js at the other end. */
import * as grpc from '@grpc/grpc-js';
import { createDeferred, systemClock } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import type { Link } from '../link.ts';
import { collect } from '../testing/link-collector.ts';
import { describeLinkContract, type OpenedLinks, type OpenLinksOptions } from '../testing/link-contract.ts';
import { createSelfSigned } from '../testing/self-signed.ts';
import { createRpcChannel, eventStreamPath } from './rpc-channel.ts';
import { createRpcServer } from './rpc-server.ts';

const serverId = createSelfSigned('runtime');
const clientId = createSelfSigned('pod');

describeLinkContract('a link over mutual TLS', openTlsLinks);

async function openTlsLinks(options: OpenLinksOptions = {}): Promise<OpenedLinks> {
  const accepted = createDeferred<Link>();
  const limits = options.limits ?? {};
  const server = createRpcServer(
    { clock: systemClock },
    {
      limits,
      methods: { [eventStreamPath]: { kind: 'stream', open: (link) => accepted.resolve(link) } },
      tls: { ...serverId, clientCa: clientId.certificate },
    },
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const channel = createRpcChannel(
    { clock: systemClock },
    { endpoint: `https://127.0.0.1:${port}`, limits, tls: { ca: serverId.certificate, ...clientId } },
  );
  const opener = channel.eventStream(options.metadata ? { metadata: options.metadata } : {});
  const acceptor = await accepted.promise;
  const close = async (): Promise<void> => {
    // One after the other: Node tells a server nothing of a TLS client that goes in the middle of a write, so that the
    // server would wait out its `lingerMs`.
    await channel.close(0);
    await server.close(0);
  };
  return { opener, acceptor, close };
}

describe('our channel with a grpc-js server over mutual TLS', () => {
  it('exchanges frames', async () => {
    const server = new grpc.Server();
    const plain = (value: Buffer): Buffer => value;
    server.register(
      eventStreamPath,
      (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (each: Buffer) => call.write(each));
        call.on('end', () => call.end());
      },
      plain,
      plain,
      'bidi',
    );
    const pair = { private_key: Buffer.from(serverId.key), cert_chain: Buffer.from(serverId.certificate) };
    const credentials = grpc.ServerCredentials.createSsl(Buffer.from(clientId.certificate), [pair], true);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    const channel = createRpcChannel(
      { clock: systemClock },
      { endpoint: `https://localhost:${port}`, tls: { ca: serverId.certificate, ...clientId } },
    );
    const link = channel.eventStream();
    const echoed = collect(link);
    const frames = ['one', 'two', 'three'].map((text) => Buffer.from(text));
    for (const frame of frames) link.send(frame);
    expect((await echoed.from(0, frames.length)).map(String)).toEqual(['one', 'two', 'three']);
    link.end();
    expect(await link.closed).toMatchObject({ code: 0 });
    await channel.close(0);
    server.forceShutdown();
  });
});
