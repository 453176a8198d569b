import { describe, expect, it } from 'vitest';
import { toNatsConnection } from './nats-address.ts';

describe('toNatsConnection', () => {
  it('takes addresses apart', () => {
    expect(toNatsConnection(['nats://127.0.0.1:4222'])).toEqual({ servers: ['127.0.0.1:4222'] });
    expect(toNatsConnection(['nats://me:p%40ss@one:1', 'nats://two:2'])).toEqual({
      servers: ['one:1', 'two:2'],
      user: 'me',
      pass: 'p@ss',
    });
    expect(toNatsConnection(['tls://s3cret@one'])).toEqual({ servers: ['one'], tls: {}, token: 's3cret' });
  });

  it.each([['http://one'], ['one:4222'], [''], ['nats://']])('refuses %o', (server) => {
    expect(() => toNatsConnection([server])).toThrow(/address of a NATS server.*it must be like nats:/);
  });

  it('never shows a password', () => {
    const refused = (): unknown => toNatsConnection(['http://me:hunter2@one']);
    expect(refused).toThrow("'http://***@one'");
    expect(refused).not.toThrow(/hunter2/);
  });
});
