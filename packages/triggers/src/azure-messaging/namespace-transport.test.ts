/** The official libraries over WebSockets, through a proxy and to another address, at a local broker with TLS. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Secret } from '@switchyard/kernel';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createAzureEventHubs } from './azure-event-hubs.ts';
import { createAzureServiceBus } from './azure-service-bus.ts';

const { certificate, key } = createSelfSigned('broker');
const trusted = getCACertificates();
const { signal } = new AbortController();

let peer: AmqpPeer;
let proxy: Server;
/** Where the proxy was asked to lead, and by whom. */
let tunnels: { readonly to: string; readonly authorization: string | undefined }[];
const ends = new Set<Socket>();
beforeAll(() => setDefaultCACertificates([...trusted, certificate]));
afterAll(() => setDefaultCACertificates(trusted));
beforeEach(async () => {
  peer = await openAmqpPeer({ tls: { certificate, key } });
  tunnels = [];
  proxy = createServer();
  proxy.on('connect', (request, socket: Socket) => {
    const [host = '', port = ''] = (request.url ?? '').split(':');
    tunnels.push({ to: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    const onward = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const end of [socket, onward]) ends.add(end.on('error', () => {}));
    onward.pipe(socket).pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const end of ends) end.destroy();
  ends.clear();
  await peer.close();
  await new Promise((resolve) => proxy.close(resolve));
});

function at(namespace: string, client: Partial<NamespaceConnection['client']>): NamespaceConnection {
  const secret = Buffer.from('a key that opens nothing').toString('base64');
  const text = `Endpoint=sb://${namespace};SharedAccessKeyName=Root;SharedAccessKey=${secret}`;
  const connection = namespaceWithKey(text, namespace);
  return { ...connection, client: { ...connection.client, ...client } };
}

/** Sends a message, receives it and completes it. */
async function roundTrip(connection: NamespaceConnection): Promise<string> {
  const queue = peer.declareQueue('orders');
  const service = createAzureServiceBus();
  await service.send(connection, 'orders', [{ body: Buffer.from('one'), messageId: '1', contentType: 'text/plain' }]);
  const receiver = await service.open(connection, { kind: 'queue', queue: 'orders' });
  const [message] = await receiver.receive(1, 5_000, signal);
  if (message !== undefined) await receiver.complete(message);
  await expect.poll(() => queue.messages.length).toBe(0);
  await receiver.close();
  return Buffer.from(message?.body ?? []).toString();
}

describe('a namespace', () => {
  it('is reached over WebSockets', async () => {
    expect(await roundTrip(at(peer.webSocketNamespace, { usesWebSockets: true }))).toBe('one');
    expect(tunnels).toEqual([]);
  });

  it('is reached through the proxy that host.json names, with its user', async () => {
    const { port } = proxy.address() as AddressInfo;
    const client = { usesWebSockets: true, proxy: new Secret(`http://me:secret@127.0.0.1:${port}`) };
    expect(await roundTrip(at(peer.webSocketNamespace, client))).toBe('one');
    const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(tunnels.length).toBeGreaterThan(0);
    for (const tunnel of tunnels) expect(tunnel).toEqual({ to: peer.webSocketNamespace, authorization });
  });

  it('of event hubs is reached at the address that host.json names, and asked for by its own name', async () => {
    const hub = peer.declareEventHub('readings', 1);
    const service = createAzureEventHubs();
    const connection = at('shop.servicebus.windows.net', { endpointAddress: `sb://${peer.namespace}` });
    await service.send(connection, 'readings', [{ body: Buffer.from('one'), contentType: 'text/plain' }]);
    expect(hub.events('0')).toHaveLength(1);
    expect(peer.claims[0]?.audience).toContain('shop.servicebus.windows.net');
  });
});
