import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, toDeferredData, toInputData, toTextData, toTriggerData } from './blob-content.ts';

const noText = Uint8Array.of(0xff, 0x00, 0x80);

describe('decodeText', () => {
  it('reads any text that is UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.startsWith('\ufeff'));
        expect(decodeText(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });

  it.each([
    [[0xef, 0xbb, 0xbf, 0x61], 'a'],
    [[0xff, 0xfe, 0x61, 0x00], 'a'],
    [[0xfe, 0xff, 0x00, 0x61], 'a'],
    [[], ''],
    [[0x80], undefined],
  ])('reads %o as %o', (bytes, text) => {
    expect(decodeText(Uint8Array.from(bytes))).toBe(text);
  });
});

describe('the value of a blob', () => {
  const text = new TextEncoder().encode('{"a":1}');

  it('is bytes for a trigger that does not say, text for one that asks', () => {
    expect(toTriggerData(text, undefined).data).toEqual({ $case: 'bytes', value: text });
    expect(toTriggerData(text, 'binary').data?.$case).toBe('bytes');
    expect(toTriggerData(text, 'stream').data?.$case).toBe('bytes');
    expect(toTriggerData(text, 'string').data).toEqual({ $case: 'string', value: '{"a":1}' });
  });

  it('is text for an input that does not say, as long as it is text', () => {
    expect(toInputData(text, undefined).data).toEqual({ $case: 'string', value: '{"a":1}' });
    expect(toInputData(noText, undefined).data).toEqual({ $case: 'bytes', value: noText });
    expect(toInputData(text, 'binary').data?.$case).toBe('bytes');
    expect(toInputData(text, 'stream').data?.$case).toBe('bytes');
    expect(toInputData(noText, 'string').data?.$case).toBe('string');
  });

  it('has its wrong places replaced where text was asked for', () => {
    expect(toTextData(Uint8Array.of(0x61, 0x80)).data).toEqual({ $case: 'string', value: 'a\ufffd' });
  });
});

describe('toDeferredData', () => {
  it('says where the blob is, by the name of the connection', () => {
    const { data } = toDeferredData('Shop', { container: 'images', blob: 'a/ä.png' });
    const content = data?.$case === 'modelBindingData' ? data.value.content : undefined;
    expect(new TextDecoder().decode(content)).toBe(
      '{"Connection":"Shop","ContainerName":"images","BlobName":"a/ä.png"}',
    );
  });
});
