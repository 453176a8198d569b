import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobType } from './blob-client.ts';
import { formatBlobTriggerMessage, parseBlobTriggerMessage } from './blob-trigger-message.ts';

const message = {
  functionId: 'Host.Functions.Resize',
  blobType: 'Block' as BlobType,
  container: 'images',
  blob: 'a/b.png',
  etag: '"0x8D"',
};

describe('blob trigger messages', () => {
  it('have the official shape', () => {
    expect(formatBlobTriggerMessage(message)).toBe(
      '{"Type":"BlobTrigger","FunctionId":"Host.Functions.Resize","BlobType":"BlockBlob",' +
        '"ContainerName":"images","BlobName":"a/b.png","ETag":"\\"0x8D\\""}',
    );
  });

  it('are read back as they were', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    const record = fc.record({
      functionId: text,
      blobType: fc.constantFrom<BlobType>('Block', 'Append', 'Page'),
      container: text,
      blob: text,
      etag: text,
    });
    fc.assert(
      fc.property(record, (any) => {
        expect(parseBlobTriggerMessage(formatBlobTriggerMessage(any))).toEqual({ kind: 'message', message: any });
      }),
    );
  });

  it('are read from hosts that write the type otherwise, or more than we know', () => {
    const text = JSON.stringify({ ...JSON.parse(formatBlobTriggerMessage(message)), BlobType: 'Block', More: 1 });
    expect(parseBlobTriggerMessage(text)).toEqual({ kind: 'message', message });
  });

  it.each([
    ['', /not JSON/],
    ['[]', /no JSON object/],
    ['null', /no JSON object/],
    ['{}', /"FunctionId", "ContainerName", "BlobName", "ETag" must be texts/],
    ['{"FunctionId":"a","ContainerName":"b","BlobName":5,"ETag":"e"}', /"BlobName" must be texts/],
    ['{"__proto__":{"FunctionId":"a","ContainerName":"b","BlobName":"c","ETag":"e"}}', /must be texts/],
  ])('are refused when they are %o', (text, reason) => {
    expect(parseBlobTriggerMessage(text)).toEqual({ kind: 'invalid', reason: expect.stringMatching(reason) });
  });
});
