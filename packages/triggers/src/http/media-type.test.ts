import { describe, expect, it } from 'vitest';
import { isBinaryMediaType, mediaTypeOf, withUtf8Charset } from './media-type.ts';

describe('mediaTypeOf', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    [' text/plain ;x=1', 'text/plain'],
    ['', ''],
  ])('reads %o as %o', (contentType, expected) => {
    expect(mediaTypeOf(contentType)).toBe(expected);
  });
});

describe('isBinaryMediaType', () => {
  it('knows octet streams and everything multipart', () => {
    expect(isBinaryMediaType('application/octet-stream')).toBe(true);
    expect(isBinaryMediaType('multipart/form-data')).toBe(true);
    expect(isBinaryMediaType('application/json')).toBe(false);
    expect(isBinaryMediaType('image/png')).toBe(false);
  });
});

describe('withUtf8Charset', () => {
  it.each([
    ['text/html', 'text/html; charset=utf-8'],
    ['text/html; charset=utf-8', 'text/html; charset=utf-8'],
    ['text/html;charset=UTF-8', 'text/html;charset=UTF-8'],
    ['text/html; charset="utf-8"', 'text/html; charset="utf-8"'],
    ['text/html; charset=iso-8859-1; x=1', 'text/html; charset=utf-8; x=1'],
    ['multipart/mixed; boundary=charset', 'multipart/mixed; boundary=charset; charset=utf-8'],
  ])('makes %o %o', (contentType, expected) => {
    expect(withUtf8Charset(contentType)).toBe(expected);
  });
});
