import { Secret } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { accountNameOf } from './account-name.ts';

describe('accountNameOf', () => {
  it.each([
    ['AccountName=shop;AccountKey=k', '', 'shop'],
    ['UseDevelopmentStorage=true', '', 'devstoreaccount1'],
    ['BlobEndpoint=https://shop.blob.core.windows.net;SharedAccessSignature=s', '', 'shop'],
    ['BlobEndpoint=http://127.0.0.1:10000/local1;SharedAccessSignature=s', '', 'local1'],
    ['SharedAccessSignature=s', 'https://other.queue.core.windows.net', 'other'],
    ['SharedAccessSignature=s', 'nonsense', 'devstoreaccount1'],
  ])('finds the account of %o', (text, queueEndpoint, name) => {
    expect(accountNameOf({ connectionString: new Secret(text), queueEndpoint })).toBe(name);
  });
});
