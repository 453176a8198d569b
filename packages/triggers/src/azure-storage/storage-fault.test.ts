import { describe, expect, it } from 'vitest';
import { serviceCode, serviceStatus, toStorageFault } from './storage-fault.ts';

const name = { operation: 'read', resource: "blob 'c/b'" };

/** A fault as the libraries throw it. */
function fault(message: string, fields: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), fields);
}

describe('storage faults', () => {
  it.each([
    [fault('x', { code: 'BlobNotFound' }), 'BlobNotFound'],
    [fault('x', { details: { errorCode: 'BlobNotFound' } }), 'BlobNotFound'],
    [fault('x', { details: { odataError: { code: 'TableNotFound' } } }), 'TableNotFound'],
    [fault('x', { details: null }), undefined],
    [fault('x', { code: 5 }), undefined],
    ['text', undefined],
  ])('reads the code of %o', (thrown, code) => {
    expect(serviceCode(thrown)).toBe(code);
  });

  it('reads the status, where there is one', () => {
    expect(serviceStatus(fault('x', { statusCode: 404 }))).toBe(404);
    expect(serviceStatus(fault('x', { statusCode: 'none' }))).toBeUndefined();
    expect(serviceStatus(fault('x'))).toBeUndefined();
  });

  it.each([
    [403, 'STORAGE_CALL_REFUSED'],
    [404, 'STORAGE_CALL_REFUSED'],
    [408, 'STORAGE_CALL_FAILED'],
    [429, 'STORAGE_CALL_FAILED'],
    [503, 'STORAGE_CALL_FAILED'],
    [undefined, 'STORAGE_CALL_FAILED'],
  ])('makes of status %o the error %s', (statusCode, code) => {
    expect(toStorageFault(name, fault('x', { statusCode })).code).toBe(code);
  });

  it('I1: quotes no signature and keeps no cause', () => {
    const error = toStorageFault(name, fault('cannot reach http://a/c/b?sv=1&sig=c2VjcmV0 now'));
    expect(error.message).toContain('http://a/c/b?*** now');
    expect(error.message).not.toContain('c2VjcmV0');
    expect(error.cause).toBeUndefined();
  });
});
