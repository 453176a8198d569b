import { createSettingsView, resolveConnection } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import { accountNameOf } from '../blob/account-name.ts';
import { readStorageIdentity } from './storage-identity.ts';

const read = (members: Record<string, string>) => {
  const settings = createSettingsView(Object.entries(members).map(([name, value]) => [`Orders__${name}`, value]));
  const connection = resolveConnection(settings, 'Orders');
  if (connection.kind !== 'identity') throw new Error(connection.kind);
  return readStorageIdentity(connection, settings);
};
const azure = (service: string) => `https://shop.${service}.core.windows.net`;
const all = { blob: azure('blob'), queue: azure('queue'), table: azure('table') };

describe('readStorageIdentity', () => {
  it.each([
    [{ accountName: 'shop' }, all],
    [{ serviceUri: `${azure('queue')}/` }, all],
    [{ blobServiceUri: azure('blob') }, all],
    [
      { blobServiceUri: azure('blob'), queueServiceUri: 'https://q.example.org' },
      { ...all, queue: 'https://q.example.org' },
    ],
    [
      { serviceUri: 'https://127.0.0.1:1/a' },
      { blob: 'https://127.0.0.1:1/a', queue: 'https://127.0.0.1:1/a', table: 'https://127.0.0.1:1/a' },
    ],
    [{ queueServiceUri: 'https://127.0.0.1:1/a' }, { queue: 'https://127.0.0.1:1/a' }],
  ])('finds the addresses in %j', (members, endpoints) => {
    expect(read(members)).toMatchObject({ kind: 'connection', connection: { identity: { endpoints } } });
  });

  it.each([
    [{ clientId: 'c' }, 'it names no account'],
    [{ blobServiceUri: 'http://shop.blob.core.windows.net' }, 'tokens travel over TLS alone'],
    [{ accountName: 'shop', credential: 'x' }, 'neither "managedidentity"'],
  ])('says what is wrong with %j', (members, problem) => {
    expect(read(members)).toMatchObject({ kind: 'invalid', problem: expect.stringContaining(problem) });
  });

  it('tells the name of the account', () => {
    const result = read({ accountName: 'shop' });
    expect(result.kind === 'connection' && accountNameOf(result.connection)).toBe('shop');
  });
});
