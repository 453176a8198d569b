import { Secret } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import type { NamespaceAccess } from '../namespace/namespace-connection.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { clientKeyOf, toClientOptions } from './namespace-client.ts';

const connection = namespaceWithKey('Endpoint=sb://shop', 'shop');

describe('toClientOptions', () => {
  it('gives a broken line up soon, unless host.json says how', async () => {
    expect(await toClientOptions(connection)).toEqual({
      retryOptions: { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 10_000, timeoutInMs: 5_000 },
    });
    const named = { mode: 'fixed', tryTimeoutMs: 1, delayMs: 2, maxDelayMs: 3, maxRetries: 0 } as const;
    expect(await toClientOptions({ ...connection, client: { ...connection.client, retry: named } })).toEqual({
      retryOptions: { mode: 1, timeoutInMs: 1, retryDelayInMs: 2, maxRetryDelayInMs: 3, maxRetries: 0 },
    });
  });

  it('goes over WebSockets where host.json wants that', async () => {
    const client = { ...connection.client, usesWebSockets: true };
    const { webSocketOptions } = await toClientOptions({ ...connection, client });
    expect(webSocketOptions).toEqual({ webSocket: WebSocket });
  });
});

describe('clientKeyOf', () => {
  it('tells apart who opens a namespace, and how', () => {
    const identity = (text: string): NamespaceAccess => {
      const clientSecret = new Secret(text);
      const app = { tenantId: 't', clientId: 'c', clientSecret, authorityHost: undefined };
      return { kind: 'identity', identity: { kind: 'client-secret', ...app } };
    };
    const all = [
      connection,
      namespaceWithKey('Endpoint=sb://shop;SharedAccessKey=other', 'shop'),
      { ...connection, client: { ...connection.client, usesWebSockets: true } },
      { ...connection, client: { ...connection.client, proxy: new Secret('http://a@proxy') } },
      { ...connection, client: { ...connection.client, proxy: new Secret('http://b@proxy') } },
      { ...connection, access: identity('a') },
      { ...connection, access: identity('b') },
    ];
    expect(new Set(all.map(clientKeyOf)).size).toBe(all.length);
    expect(clientKeyOf(namespaceWithKey('Endpoint=sb://shop', 'shop'))).toBe(clientKeyOf(connection));
  });
});
