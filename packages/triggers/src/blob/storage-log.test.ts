import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLogLine } from './storage-log.ts';

/** A line of a log; texts of requests stand in quotes. */
function logLine(key: string, operation = 'PutBlob', status = '201', version = '1.0', service = 'blob'): string {
  const start = [version, '2026-01-31T17:05:13.4912Z', operation, 'Success', status, '21', '19', 'authenticated'];
  const url = `"https://shop.blob.core.windows.net:443/x?comp=block&amp;id=1;2"`;
  const end = [
    '"8be42c6f-0001"',
    '0',
    '10.0.0.1:4362',
    '2021-08-06',
    '512',
    '4',
    '200',
    '0',
    '4',
    '""',
    '"&quot;0x8D&quot;"',
  ];
  return [...start, 'shop', 'shop', service, url, `"${key}"`, ...end].join(';');
}

describe('readLogLine', () => {
  it.each(['PutBlob', 'PutBlockList', 'CopyBlob', 'SetBlobMetadata', 'SetBlobProperties', 'PutPage'])(
    'reads a %s',
    (operation) => {
      expect(readLogLine(logLine('/shop/images/a.png', operation))).toEqual({ container: 'images', blob: 'a.png' });
    },
  );

  it.each([
    ['/shop/images/a/b/c.png', 'images', 'a/b/c.png'],
    ['/shop/images/tea &amp; &quot;cake&quot;;1.png', 'images', 'tea & "cake";1.png'],
    ['/shop/images/&#228;&#x1F600;', 'images', 'ä😀'],
    ['/shop/$root/x', '$root', 'x'],
  ])('finds the blob in %j', (key, container, blob) => {
    expect(readLogLine(logLine(key))).toEqual({ container, blob });
    expect(readLogLine(logLine(key, 'PutBlob', '201', '2.0'))).toEqual({ container, blob });
  });

  it.each([
    ['another operation', logLine('/shop/images/a', 'GetBlob')],
    ['a write that failed', logLine('/shop/images/a', 'PutBlob', '412')],
    ['another service', logLine('/shop/images/a', 'PutBlob', '201', '1.0', 'table')],
    ['another version', logLine('/shop/images/a', 'PutBlob', '201', '3.0')],
    ['a container', logLine('/shop/images', 'SetBlobMetadata')],
    ['a line that broke off', logLine('/shop/images/a').slice(0, 120)],
    ['nothing', ''],
  ])('passes over %s', (_, line) => {
    expect(readLogLine(line)).toBeUndefined();
  });

  it('takes any text', () => {
    fc.assert(fc.property(fc.string(), (line) => readLogLine(line) === undefined || line.includes(';')));
  });
});
