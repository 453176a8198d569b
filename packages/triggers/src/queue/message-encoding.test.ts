import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from './message-encoding.ts';

describe('decodeMessage', () => {
  it('reads Base64', () => {
    expect(decodeMessage('aMOpbGxv', 'base64')).toEqual({ text: 'héllo', bytes: Buffer.from('héllo') });
    expect(decodeMessage('', 'base64')).toEqual({ text: '', bytes: Buffer.alloc(0) });
  });

  it.each(['hello', '{"a":1}', 'aGVsbG8', 'aGVs bG8=', 'a', 'ü'])('takes %o, which is no Base64, as it is', (text) => {
    expect(decodeMessage(text, 'base64')).toEqual({ text, bytes: Buffer.from(text) });
  });

  it('gives text that only happens to be Base64 back as text, and its bytes as bytes', () => {
    expect(decodeMessage('test', 'base64')).toEqual({ text: 'test', bytes: Buffer.from('test', 'base64') });
  });

  it('leaves everything as it is without an encoding', () => {
    expect(decodeMessage('aGVsbG8=', 'none')).toEqual({ text: 'aGVsbG8=', bytes: Buffer.from('aGVsbG8=') });
  });
});

describe('encodeMessage', () => {
  it('is read back as it was, in Base64', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeMessage(encodeMessage(text, 'base64'), 'base64').text).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Uint8Array.from(decodeMessage(encodeMessage(bytes, 'base64'), 'base64').bytes)).toEqual(bytes);
      }),
    );
  });

  it('is the text itself without an encoding', () => {
    expect(encodeMessage('héllo', 'none')).toBe('héllo');
    expect(encodeMessage(new Uint8Array([104, 105]), 'none')).toBe('hi');
  });
});
