import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineErrors, isPlatformError, messageOf, PlatformError } from './errors.ts';

const catalogue = defineErrors({
  PORT_IN_USE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 3,
    message: 'Port {port} is in use on {host}: stop what uses it or pass --port. {unknown}',
  },
  BUSY: { blame: 'dependency', retry: { afterMs: 50 }, http: 503, grpc: 14, exit: 1, message: 'Busy.' },
});

describe('defineErrors', () => {
  it('fills the message from the details and leaves unknown placeholders alone', () => {
    const error = catalogue.create('PORT_IN_USE', { port: 7071, host: 'localhost' });
    expect(error.message).toBe('Port 7071 is in use on localhost: stop what uses it or pass --port. {unknown}');
    expect(error).toMatchObject({ code: 'PORT_IN_USE', blame: 'user', retry: 'never', name: 'PlatformError' });
    expect(error.details).toEqual({ port: 7071, host: 'localhost' });
    expect(error.definition).toBe(catalogue.definitions.PORT_IN_USE);
  });

  it.each([
    ['no coffee', 'It failed: no coffee. Try again.'],
    ['No coffee. Buy some.', 'It failed: No coffee. Buy some. Try again.'],
    ['why?', 'It failed: why? Try again.'],
  ])('ends the sentence that %j stands in once', (reason, message) => {
    const failed = defineErrors({ X: { ...catalogue.definitions.BUSY, message: 'It failed: {reason}. Try again.' } });
    expect(failed.create('X', { reason }).message).toBe(message);
  });

  it('keeps the cause, and has none when none was given', () => {
    const cause = new Error('below');
    const error = catalogue.create('BUSY', {}, cause);
    expect(error.cause).toBe(cause);
    expect(error.retry).toEqual({ afterMs: 50 });
    expect('cause' in catalogue.create('BUSY')).toBe(false);
  });

  it('takes a hostile detail as text: no placeholder in a value is filled, no inherited key is read', () => {
    fc.assert(
      fc.property(fc.string(), (host) => {
        const { message } = catalogue.create('PORT_IN_USE', { port: 1, host });
        expect(message).toBe(`Port 1 is in use on ${host}: stop what uses it or pass --port. {unknown}`);
      }),
    );
    const inherits = defineErrors({ X: { ...catalogue.definitions.BUSY, message: '{constructor} {toString}' } });
    expect(inherits.create('X').message).toBe('{constructor} {toString}');
  });
});

describe('isPlatformError', () => {
  it('tells its own errors, those of another copy of the module, and nothing else', () => {
    const foreign = Object.assign(new Error('x'), { name: 'PlatformError', definition: {}, code: 'X' });
    expect(isPlatformError(catalogue.create('BUSY'))).toBe(true);
    expect(catalogue.create('BUSY')).toBeInstanceOf(PlatformError);
    expect(isPlatformError(foreign)).toBe(true);
    expect(isPlatformError(new Error('x'))).toBe(false);
    expect(isPlatformError({ name: 'PlatformError', definition: {} })).toBe(false);
    expect(isPlatformError(undefined)).toBe(false);
  });
});

describe('messageOf', () => {
  it.each([
    [new Error('boom'), 'boom'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ code: 1 }, '[object Object]'],
    [Symbol('s'), 'Symbol(s)'],
  ])('gives a text for %s', (thrown, expected) => {
    expect(messageOf(thrown)).toBe(expected);
  });

  it('gives a text for what cannot be turned into one', () => {
    const hostile = {
      toString() {
        throw new Error('no text');
      },
    };
    expect(messageOf(Object.create(null))).toBe('[object Object]');
    expect(messageOf(hostile)).toBe('[object Object]');
  });
});
