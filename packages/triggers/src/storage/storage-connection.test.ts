import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBinding, createScope } from '../testing/scope.ts';
import { parseQueueEndpoint, resolveStorageConnection, type StorageConnection } from './storage-connection.ts';

const full = 'DefaultEndpointsProtocol=https;AccountName=Shop;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net';

function resolve(settings: Record<string, string>, connection?: string): StorageConnection {
  const raw = { name: 'item', type: 'queueTrigger', ...(connection === undefined ? {} : { connection }) };
  return resolveStorageConnection(createBinding(raw), createScope({ settings }));
}

describe('parseQueueEndpoint', () => {
  it.each([
    ['UseDevelopmentStorage=true', 'http://127.0.0.1:10001/devstoreaccount1'],
    [' usedevelopmentstorage = TRUE ;', 'http://127.0.0.1:10001/devstoreaccount1'],
    [full, 'https://shop.queue.core.windows.net'],
    ['AccountName=a;AccountKey=k', 'https://a.queue.core.windows.net'],
    ['AccountName=a;AccountKey=k==;QueueEndpoint=http://127.0.0.1:1/a/', 'http://127.0.0.1:1/a'],
    ['QueueEndpoint=https://a.queue.x;SharedAccessSignature=sv=1&sig=s', 'https://a.queue.x'],
  ])('finds the account in %o', (text, endpoint) => {
    expect(parseQueueEndpoint(text)).toEqual({ kind: 'endpoint', endpoint });
  });

  it.each([
    '',
    'nonsense',
    'AccountName=a',
    'AccountKey=k',
    'SharedAccessSignature=s',
    'AccountName=a;AccountKey=k;QueueEndpoint=x',
    '=a',
  ])('says what is wrong with %o', (text) => {
    expect(parseQueueEndpoint(text)).toMatchObject({ kind: 'invalid' });
  });

  it('never quotes the string, which holds a key', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (secret) => {
        const parsed = parseQueueEndpoint(`AccountKey=${secret}`);
        expect(JSON.stringify(parsed)).not.toContain(secret);
      }),
    );
  });
});

describe('resolveStorageConnection', () => {
  it('takes the setting that the binding names, else AzureWebJobsStorage', () => {
    const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true', Orders: full };
    expect(resolve(settings).queueEndpoint).toContain('devstoreaccount1');
    expect(resolve(settings, 'Orders').queueEndpoint).toBe('https://shop.queue.core.windows.net');
  });

  it('hides the string in logs', () => {
    expect(JSON.stringify(resolve({ AzureWebJobsStorage: full }))).not.toContain('c2VjcmV0');
  });

  it('names what is missing, wrong or not supported, and how to mend it', () => {
    expect(() => resolve({})).toThrow(/'item'.*'AzureWebJobsStorage' is missing.*UseDevelopmentStorage=true/);
    expect(() => resolve({ Orders: 'nonsense' }, 'Orders')).toThrow(/'Orders' is no connection string.*no "="/);
    expect(() => resolve({ Orders__queueServiceUri: 'http://a' }, 'Orders')).toThrow(
      /'Orders' asks for an identity.*tokens travel over TLS alone/,
    );
  });
});
