import { describe, expect, it } from 'vitest';
import { createBinding, createScope } from '../testing/scope.ts';
import { readNamespace } from './namespace-connection.ts';

const names = { defaultConnection: 'AzureWebJobsServiceBus', service: 'Service Bus' };
const binding = createBinding({ type: 'serviceBusTrigger', name: 'message', connection: 'Bus' });

function read(settings: Readonly<Record<string, string>>, serviceBus: object = {}) {
  const scope = createScope({ settings, extensions: { serviceBus } });
  return readNamespace(binding, scope, scope.extensions.serviceBus, names);
}

describe('readNamespace', () => {
  it.each([
    ['Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKey=x', 'shop.servicebus.windows.net', undefined],
    ['endpoint=SB://shop:1;EntityPath=orders;SharedAccessKey=x', 'shop:1', 'orders'],
  ])('reads the connection string %s', (text, namespace, entityPath) => {
    expect(read({ Bus: text })).toMatchObject({
      kind: 'namespace',
      connection: { namespace, access: { kind: 'key' } },
      entityPath,
    });
  });

  it('keeps the name of an entity out of the connection string', () => {
    const found = read({ Bus: 'Endpoint=sb://shop;EntityPath=orders;SharedAccessKey=x' });
    const access = found.kind === 'namespace' ? found.connection.access : undefined;
    expect(access?.kind === 'key' && access.connectionString.reveal()).toBe('Endpoint=sb://shop;SharedAccessKey=x');
  });

  it.each([
    ['shop.servicebus.windows.net', 'shop.servicebus.windows.net'],
    ['sb://shop.servicebus.windows.net/', 'shop.servicebus.windows.net'],
    [' localhost:5671 ', 'localhost:5671'],
  ])('takes an identity for %j', (fullyQualifiedNamespace, namespace) => {
    expect(
      read({
        Bus__fullyQualifiedNamespace: fullyQualifiedNamespace,
        Bus__credential: 'managedidentity',
        Bus__clientId: 'c',
      }),
    ).toMatchObject({
      connection: { namespace, access: { kind: 'identity', identity: { kind: 'managed', clientId: 'c' } } },
    });
  });

  it.each([
    [{}, "the app setting 'Bus' is missing", 'Bus'],
    [{ Bus: 'AccountName=x' }, "'Bus' is no connection string of Service Bus", 'Bus'],
    [{ Bus__clientId: 'c' }, 'names no host', 'Bus__fullyQualifiedNamespace'],
    [{ Bus__fullyQualifiedNamespace: 'a b' }, 'names no host', 'Bus__fullyQualifiedNamespace'],
    [{ Bus__fullyQualifiedNamespace: 'shop', Bus__credential: 'magic' }, '"credential" is neither', 'Bus'],
  ])('refuses %j and says why', (settings, problem, setting) => {
    expect(read(settings)).toEqual({ kind: 'invalid', problem: expect.stringContaining(problem), setting });
  });

  it('takes what host.json says of the client', () => {
    const serviceBus = {
      transportType: 'AmqpWebSockets',
      clientRetryOptions: {
        mode: 'Exponential',
        tryTimeout: '00:00:20',
        delay: '00:00:01',
        maxDelay: '00:00:05',
        maxRetries: 7,
      },
    };
    expect(read({ Bus: 'Endpoint=sb://shop' }, serviceBus)).toMatchObject({
      connection: {
        client: {
          usesWebSockets: true,
          retry: { mode: 'exponential', tryTimeoutMs: 20_000, delayMs: 1_000, maxDelayMs: 5_000, maxRetries: 7 },
        },
      },
    });
  });
});
