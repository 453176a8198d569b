import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import {
  decodeStatusMessage,
  encodeStatusMessage,
  fromHttpStatus,
  fromResetCode,
  fromTrailers,
  maxStatusMessageCharacters,
  toResetCode,
  toTrailers,
} from './wire-status.ts';

describe('status messages', () => {
  it('survive the wire in any script, and are printable ASCII on it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (message) => {
        const encoded = encodeStatusMessage(message);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeStatusMessage(encoded)).toBe(message);
      }),
    );
  });

  it('are percent-encoded as the protocol says', () => {
    expect(encodeStatusMessage('100 % ü\n')).toBe('100 %25 %C3%BC%0A');
  });

  it('keep broken escapes and other bytes instead of failing', () => {
    expect(decodeStatusMessage('50% of %zz %4')).toBe('50% of %zz %4');
    fc.assert(fc.property(fc.string(), (value) => typeof decodeStatusMessage(value) === 'string'));
  });

  it('are cut when they are too long for a trailer', () => {
    const encoded = encodeStatusMessage('x'.repeat(100_000));
    expect(encoded).toHaveLength(maxStatusMessageCharacters + 3);
  });
});

describe('trailers', () => {
  it('carry code and message, and no message when it is empty', () => {
    expect(toTrailers({ code: 5, message: 'no ü' })).toEqual({ 'grpc-status': '5', 'grpc-message': 'no %C3%BC' });
    expect(toTrailers({ code: 0, message: '' })).toEqual({ 'grpc-status': '0' });
    expect(fromTrailers({ 'grpc-status': '5', 'grpc-message': 'no %C3%BC' })).toEqual({ code: 5, message: 'no ü' });
    expect(fromTrailers({ 'grpc-status': '0' })).toEqual({ code: 0, message: '' });
    expect(fromTrailers({ 'x-other': '1' })).toBeUndefined();
  });

  it.each(['17', '99', 'ok', '', '-1', '1e1', '0x1'])("take the code '%s' for UNKNOWN", (value) => {
    const status = fromTrailers({ 'grpc-status': value, 'grpc-message': 'why' });
    expect(status).toMatchObject({ code: grpcStatus.unknown });
    expect(status?.message).toContain(`'${value}'`);
    expect(status?.message).toContain('why');
  });
});

it.each([
  [400, grpcStatus.internal],
  [401, grpcStatus.unauthenticated],
  [403, grpcStatus.permissionDenied],
  [404, grpcStatus.unimplemented],
  [429, grpcStatus.unavailable],
  [502, grpcStatus.unavailable],
  [503, grpcStatus.unavailable],
  [504, grpcStatus.unavailable],
  [418, grpcStatus.unknown],
])('HTTP status %d means gRPC code %d', (http, code) => {
  expect(fromHttpStatus(http)).toMatchObject({ code, message: expect.stringContaining(String(http)) });
});

it.each([
  [0, grpcStatus.internal],
  [1, grpcStatus.internal],
  [7, grpcStatus.unavailable],
  [8, grpcStatus.cancelled],
  [11, grpcStatus.resourceExhausted],
  [12, grpcStatus.permissionDenied],
  [13, grpcStatus.unknown],
  [4_000, grpcStatus.unknown],
])('a reset with HTTP/2 code %d means gRPC code %d', (reset, code) => {
  expect(fromResetCode(reset).code).toBe(code);
});

it('a status that cannot travel as trailers becomes the reset that means nearly the same', () => {
  for (const code of [grpcStatus.internal, grpcStatus.resourceExhausted, grpcStatus.cancelled]) {
    expect(fromResetCode(toResetCode({ code, message: '' })).code).toBe(code);
  }
  expect(toResetCode({ code: grpcStatus.ok, message: '' })).toBe(0);
  expect(toResetCode({ code: grpcStatus.notFound, message: '' })).toBe(8);
});
