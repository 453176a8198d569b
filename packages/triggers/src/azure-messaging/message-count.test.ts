/** Counting what waits through the HTTPS door of a namespace, which a server here plays. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { openAmqpPeer } from '@switchyard/testkit/amqp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createAzureServiceBus } from './azure-service-bus.ts';

const { certificate, key } = createSelfSigned('namespace');
const trusted = getCACertificates();
const { signal } = new AbortController();
const service = createAzureServiceBus();

/** What the management of a namespace says of an entity. */
const description = (
  kind: 'Queue' | 'Subscription',
  path: string,
  count: number,
): string => `<?xml version="1.0" encoding="utf-8"?>
<entry xmlns="http://www.w3.org/2005/Atom"><id>https://namespace/${path}?api-version=2021-05</id><title type="text">it</title><content type="application/xml">
<${kind}Description xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect">
<CreatedAt>2026-01-01T00:00:00Z</CreatedAt><UpdatedAt>2026-01-01T00:00:00Z</UpdatedAt><AccessedAt>2026-01-01T00:00:00Z</AccessedAt>
<SizeInBytes>1</SizeInBytes><MessageCount>${count + 3}</MessageCount>
<CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus">
<d2p1:ActiveMessageCount>${count}</d2p1:ActiveMessageCount><d2p1:DeadLetterMessageCount>3</d2p1:DeadLetterMessageCount>
</CountDetails></${kind}Description></content></entry>`;

let asked: IncomingMessage[];
let answer: { readonly status: number; readonly body: string };
let server: Server;
beforeAll(() => setDefaultCACertificates([...trusted, certificate]));
afterAll(() => setDefaultCACertificates(trusted));
beforeEach(async () => {
  asked = [];
  server = createServer({ cert: certificate, key }, (request, response) => {
    asked.push(request);
    response.writeHead(answer.status, { 'content-type': 'application/atom+xml' }).end(answer.body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const connection = () => {
  const address = server.address();
  const host = `localhost:${typeof address === 'object' && address ? address.port : 0}`;
  return namespaceWithKey(`Endpoint=sb://${host}/;SharedAccessKeyName=Root;SharedAccessKey=a2V5`, host);
};

it('counts the active messages of a queue and of a subscription, with the key of the connection', async () => {
  answer = { status: 200, body: description('Queue', 'orders', 1_234) };
  expect(await service.count(connection(), { kind: 'queue', queue: 'orders' }, signal)).toBe(1_234);
  answer = { status: 200, body: description('Subscription', 'events/Subscriptions/all', 7) };
  const subscription = { kind: 'subscription', topic: 'events', subscription: 'all' } as const;
  expect(await service.count(connection(), subscription, signal)).toBe(7);
  expect(asked.map(({ url }) => url?.split('?')[0])).toEqual(['/orders', '/events/Subscriptions/all']);
  expect(asked[0]?.headers.authorization).toMatch(/^SharedAccessSignature /);
});

it('is refused once where the key may not manage, without another try', async () => {
  answer = { status: 401, body: '<Error><Code>401</Code><Detail>Manage,EntityRead claims</Detail></Error>' };
  await expect(service.count(connection(), { kind: 'queue', queue: 'orders' }, signal)).rejects.toThrow();
  expect(asked).toHaveLength(1);
});

it('fails soon where nobody speaks HTTPS, as at an emulator', async () => {
  const peer = await openAmqpPeer();
  const emulator = namespaceWithKey(peer.connectionString, peer.namespace);
  await expect(service.count(emulator, { kind: 'queue', queue: 'orders' }, signal)).rejects.toThrow();
  await peer.close();
});
