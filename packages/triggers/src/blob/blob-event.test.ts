import { describe, expect, it } from 'vitest';
import { bindingDataFrom } from '../binding-data.ts';
import { fromTypedData, textData } from '../typed-data.ts';
import { type BlobEventSource, toBlobEvent } from './blob-event.ts';

const source: BlobEventSource = {
  path: { container: 'images', blob: '2024/a.png' },
  data: { data: { $case: 'bytes', value: Uint8Array.of(1) } },
  properties: {
    etag: '"0x8D"',
    lastModifiedMs: Date.UTC(2024, 0, 2, 3, 4, 5),
    createdMs: Date.UTC(2024, 0, 1),
    sizeBytes: 1,
    type: 'Block',
    metadata: new Map([['authorname', 'me']]),
    uri: 'https://shop.blob.core.windows.net/images/2024/a.png',
    headers: { ContentType: 'image/png' },
  },
  metadata: new Map([['AuthorName', 'me']]),
  captures: new Map([['name', 'a']]),
  details: { MessageId: 'm' },
};

function plain(given: BlobEventSource): Record<string, unknown> {
  return Object.fromEntries([...toBlobEvent(given).metadata].map(([name, value]) => [name, fromTypedData(value)]));
}

describe('toBlobEvent', () => {
  it('has the official metadata and the captures', () => {
    expect(plain(source)).toEqual({
      BlobTrigger: 'images/2024/a.png',
      Uri: 'https://shop.blob.core.windows.net/images/2024/a.png',
      Properties: {
        LastModified: '2024-01-02T03:04:05.000+00:00',
        CreatedOn: '2024-01-01T00:00:00.000+00:00',
        BlobType: 'Block',
        ContentLength: 1,
        ETag: '"0x8D"',
        ContentType: 'image/png',
      },
      Metadata: { AuthorName: 'me' },
      name: 'a',
    });
  });

  it('gives its reason and details', () => {
    expect(toBlobEvent(source)).toMatchObject({
      data: source.data,
      reason: 'New blob detected(LogsAndContainerScan): images/2024/a.png',
      details: {
        MessageId: 'm',
        BlobCreated: '2024-01-01T00:00:00.000+00:00',
        BlobLastModified: '2024-01-02T03:04:05.000+00:00',
      },
    });
  });

  it('serves expressions such as {name} and {Metadata.AuthorName}', () => {
    const data = bindingDataFrom(toBlobEvent(source).metadata);
    expect(data.get('name')).toBe('a');
    expect(data.get('Metadata')).toEqual({ AuthorName: 'me' });
  });

  it('lets captures win over built-in names, and JSON text over both', () => {
    const captured = { ...source, captures: new Map([['uri', 'mine']]) };
    expect(plain(captured)).toMatchObject({ Uri: 'mine' });
    const json = { ...captured, data: textData('{"uri":"theirs","size":5}') };
    expect(plain(json)).toMatchObject({ Uri: 'theirs', size: '5' });
  });

  it('survives hostile names', () => {
    const hostile = { ...source, metadata: new Map([['__proto__', 'x']]), captures: new Map([['__proto__', 'y']]) };
    const event = toBlobEvent(hostile);
    expect(event.metadata.get('__proto__')).toEqual(textData('y'));
    expect(event.metadata.get('Metadata')?.data?.value).toBe('{"__proto__":"x"}');
  });
});
