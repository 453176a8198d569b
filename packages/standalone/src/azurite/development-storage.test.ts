import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emulatorOf } from './development-storage.ts';

const standard = { host: '127.0.0.1', blobPort: 10000, queuePort: 10001, tablePort: 10002 };
const account = 'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5==';

describe('emulatorOf', () => {
  it.each([
    ['UseDevelopmentStorage=true', standard],
    [' usedevelopmentstorage = TRUE ;', standard],
    [
      `${account};BlobEndpoint=http://127.0.0.1:21000/devstoreaccount1;QueueEndpoint=http://localhost:22001/devstoreaccount1;TableEndpoint=http://127.0.0.1:23002/devstoreaccount1`,
      { host: '127.0.0.1', blobPort: 21000, queuePort: 22001, tablePort: 23002 },
    ],
    [
      `${account};QueueEndpoint=http://127.0.0.1:21001/devstoreaccount1;`,
      { host: '127.0.0.1', blobPort: 21000, queuePort: 21001, tablePort: 21002 },
    ],
    ['UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://10.0.0.1', undefined],
    ['UseDevelopmentStorage=false', undefined],
    [`${account};QueueEndpoint=http://10.0.0.1:10001/devstoreaccount1`, undefined],
    [`${account};QueueEndpoint=not a url`, undefined],
    ['DefaultEndpointsProtocol=https;AccountName=real;AccountKey=k;EndpointSuffix=core.windows.net', undefined],
    ['AccountName=real;QueueEndpoint=http://127.0.0.1:10001/real', undefined],
    ['', undefined],
  ])('of %j', (value, expected) => {
    expect(emulatorOf(value)).toEqual(expected);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(emulatorOf(value)).toBeUndefined();
      }),
    );
  });
});
