import { describe, expect, it } from 'vitest';
import { refuseClearTokens } from './clear-tokens.ts';

describe('tokens in clear', () => {
  it.each([
    'https://runtime.example:50051',
    'https://10.0.0.1',
    'http://127.0.0.1:50051',
    'http://127.8.9.10:1',
    '127.0.0.1:50051',
    'localhost:50051',
    'http://localhost',
    'http://[::1]:50051',
  ])('may go to %s', (endpoint) => {
    expect(refuseClearTokens(endpoint, { allow: false })).toBeUndefined();
  });

  it.each([
    'http://runtime.example:50051',
    'runtime.example:50051',
    '10.0.0.1:50051',
    'http://0.0.0.0:50051',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'http://evil.localhost',
    'http://127.0.0.1@evil.example',
    'http://[::ffff:10.0.0.1]:50051',
    'ftp://127.0.0.1',
    'ws://127.0.0.1',
    'not an endpoint',
    '',
  ])('may not go to %s, unless that is allowed', (endpoint) => {
    expect(refuseClearTokens(endpoint, { allow: false })).toMatchObject({ code: 'TOKEN_IN_CLEAR' });
    expect(refuseClearTokens(endpoint, { allow: true })).toBeUndefined();
  });

  it('shows no credentials of the endpoint', () => {
    expect(String(refuseClearTokens('http://user:secret@evil.example', { allow: false }))).not.toContain('secret');
  });
});
