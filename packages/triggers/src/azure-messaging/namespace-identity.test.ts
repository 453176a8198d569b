/** The official libraries, by tokens, over TLS, at a local broker that looks at the tokens. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Secret } from '@switchyard/kernel';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AzureIdentities } from '../azure-identity/azure-identities.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createAzureEventHubs } from './azure-event-hubs.ts';
import { createAzureServiceBus } from './azure-service-bus.ts';

const { certificate, key } = createSelfSigned('broker');
const trusted = getCACertificates();
const { signal } = new AbortController();
const identity = {
  kind: 'client-secret',
  tenantId: 't',
  clientId: 'the-app',
  clientSecret: new Secret('s'),
  authorityHost: undefined,
} as const;

/** Whose tokens say `good`, or what they are told to. */
const scopes: unknown[] = [];
const identitiesWith = (token: string): AzureIdentities => ({
  credentialOf: async () => ({
    getToken: async (scope) => {
      scopes.push(scope);
      return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  }),
});

let peer: AmqpPeer;
beforeAll(() => setDefaultCACertificates([...trusted, certificate]));
afterAll(() => setDefaultCACertificates(trusted));
afterEach(() => peer.close());

async function open(): Promise<NamespaceConnection> {
  peer = await openAmqpPeer({
    tls: { certificate, key },
    admits: ({ type, token }) => type === 'jwt' && token === 'good',
  });
  return { ...namespaceWithKey(''), namespace: peer.namespace, access: { kind: 'identity', identity } };
}

describe('by identity', () => {
  it('Service Bus sends, receives and looks with tokens of its own audience', async () => {
    const connection = await open();
    const queue = peer.declareQueue('orders');
    const service = createAzureServiceBus(undefined, identitiesWith('good'));
    await service.send(connection, 'orders', [{ body: Buffer.from('one'), messageId: '1', contentType: 'text/plain' }]);
    const peeked = await service.peek(connection, { kind: 'queue', queue: 'orders' }, 10, signal);
    expect(peeked).toEqual({ waiting: [{ enqueuedMs: expect.any(Number) }], isFull: false });
    const receiver = await service.open(connection, { kind: 'queue', queue: 'orders' });
    const [message] = await receiver.receive(1, 5_000, signal);
    expect(Buffer.from(message?.body ?? []).toString()).toBe('one');
    if (message !== undefined) await receiver.complete(message);
    await expect.poll(() => queue.messages.length).toBe(0);
    await receiver.close();
    expect(new Set(peer.claims.map(({ type }) => type))).toEqual(new Set(['jwt']));
    expect(peer.claims[0]?.audience).toContain('orders');
    expect(scopes).toContain('https://servicebus.azure.net//.default');
  });

  it('Event Hubs sends and reads with tokens', async () => {
    const connection = await open();
    peer.declareEventHub('readings', 1);
    const service = createAzureEventHubs(undefined, identitiesWith('good'));
    await service.send(connection, 'readings', [{ body: Buffer.from('one'), contentType: 'text/plain' }]);
    const texts: string[] = [];
    const place = { connection, hub: 'readings', consumerGroup: '$Default' };
    const options = {
      ...{ ownerId: 'me', maxEvents: 10, prefetchCount: 10, balanceMs: 1_000, expiryMs: 10_000 },
      start: { kind: 'start' } as const,
      tracksLastEvent: true,
    };
    const reader = await service.read(place, options, emptyStore, {
      receive: async (_partition, events) => void texts.push(...events.map(({ body }) => Buffer.from(body).toString())),
      closed: () => {},
      failed: (thrown) => {
        throw thrown;
      },
      succeeded: () => {},
    });
    await expect.poll(() => texts, { timeout: 20_000 }).toEqual(['one']);
    expect(await reader.extents()).toEqual(new Map([['0', { first: 0, last: 0 }]]));
    await reader.close();
    expect(new Set(peer.claims.map(({ type }) => type))).toEqual(new Set(['jwt']));
  });

  it('a token that the namespace refuses sends nothing', async () => {
    const connection = await open();
    const queue = peer.declareQueue('orders');
    const service = createAzureServiceBus(undefined, identitiesWith('forged'));
    const message = { body: Buffer.from('one'), messageId: '1', contentType: 'text/plain' };
    const retry = { ...connection.client.retry, maxRetries: 0 };
    const impatient = { ...connection, client: { ...connection.client, retry } };
    await expect(service.send(impatient, 'orders', [message])).rejects.toThrow(/token|unauthorized/i);
    expect(queue.messages).toHaveLength(0);
  });
});

/** Nobody has read anything, and whoever claims a partition has it. */
const emptyStore = {
  ownerships: async () => [],
  claim: async () => true,
  checkpoints: async () => [],
  advance: async () => {},
};
