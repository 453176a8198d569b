/** Service Bus, Event Hubs and Event Grid, opened with tokens of the app's own: no key anywhere, TLS everywhere. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { type DevProcess, patienceMs, startDevProcess } from './dev-process.ts';
import { openAuthority, type TokenRequest, tenantId, token } from './token-authority.ts';

const waiting = { timeout: patienceMs };

const source = `
import { app, output } from '@azure/functions';
const done = output.serviceBusQueue({ queueName: 'done', connection: 'Bus' });
const readings = output.eventHub({ eventHubName: 'readings', connection: 'Hub' });
const topic = output.generic({ type: 'eventGrid', connection: 'Topic' });
app.serviceBusQueue('take', {
  queueName: 'orders', connection: 'Bus', extraOutputs: [done, readings, topic],
  handler: (order, context) => {
    context.extraOutputs.set(done, 'done ' + order);
    context.extraOutputs.set(readings, 'read ' + order);
    context.extraOutputs.set(topic, { eventType: 'taken', subject: order, data: {} });
  },
});
`;

const { certificate, key } = createSelfSigned('localhost');
const tls = { cert: certificate, key };
const asked: TokenRequest[] = [];
const published: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
let apps: AppFolder;
let peer: AmqpPeer;
let authority: Server;
let topic: Server;
let dev: DevProcess | undefined;
beforeEach(async () => {
  apps = await openAppFolder();
  peer = await openAmqpPeer({ tls: { certificate, key }, admits: (claim) => claim.token === token() });
  authority = openAuthority(tls, asked);
  topic = openTopic();
  await Promise.all([authority, topic].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
});
afterEach(async () => {
  await dev?.close();
  for (const server of [authority, topic]) {
    server.close();
    server.closeAllConnections();
  }
  await peer.close();
  await apps.remove();
});

/** Takes events of whoever shows something. */
function openTopic(): Server {
  return createServer(tls, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      published.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.end();
    });
  });
}

const addressOf = (server: Server): string => {
  const at = server.address();
  return `https://localhost:${typeof at === 'object' && at !== null ? at.port : 0}`;
};

it('takes a message and sends to a queue, a hub and a topic with tokens of the app’s own', async () => {
  peer.declareQueue('orders').put({ body: Buffer.from('one') });
  const done = peer.declareQueue('done');
  const hub = peer.declareEventHub('readings', 1);
  await apps.write({
    'app/host.json': { version: '2.0' },
    'app/package.json': { name: 'app', type: 'module', main: 'take.js', dependencies: { '@azure/functions': '*' } },
    'app/take.js': source,
  });
  const authorityFile = join(apps.path, 'authority.pem');
  await writeFile(authorityFile, certificate);
  const identity = { tenantId, clientId: 'the-app', clientSecret: 'its-secret' };
  const members = (name: string, more: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries({ ...identity, ...more }).map(([member, value]) => [`${name}__${member}`, value]),
    );
  dev = await startDevProcess({
    apps: [join(apps.path, 'app')],
    flags: ['--no-azurite'],
    environment: {
      NODE_EXTRA_CA_CERTS: authorityFile,
      AZURE_AUTHORITY_HOST: addressOf(authority).replace('localhost', '127.0.0.1'),
      FUNCTIONS_WORKER_RUNTIME: 'node',
      ...members('Bus', { fullyQualifiedNamespace: peer.namespace }),
      ...members('Hub', { fullyQualifiedNamespace: peer.namespace }),
      ...members('Topic', { topicEndpointUri: `${addressOf(topic)}/api/events` }),
    },
  });
  await expect.poll(() => done.messages.length, waiting).toBe(1);
  await expect.poll(() => hub.events('0').length, waiting).toBe(1);
  await expect.poll(() => published.length, waiting).toBe(1);
  expect(JSON.parse(published[0]?.body ?? '')).toMatchObject([{ eventType: 'taken', subject: 'one' }]);
  expect(published[0]?.headers).toMatchObject({ authorization: `Bearer ${token()}` });
  expect(published[0]?.headers).not.toHaveProperty('aeg-sas-key');
  expect(new Set(peer.claims.map(({ type }) => type))).toEqual(new Set(['jwt']));
  expect(new Set(asked.map(({ client, secret }) => `${client} ${secret}`))).toEqual(new Set(['the-app its-secret']));
  const scopes = asked.map(({ scope }) => scope).join(' ');
  expect(scopes).toMatch(/servicebus\.azure\.net.*eventgrid\.azure\.net|eventgrid\.azure\.net.*servicebus\.azure\.net/);
  expect(dev.output).not.toContain('its-secret');
  expect(dev.output).not.toContain(token().slice(0, 40));
});
