import { describe, expect, test } from 'vitest';
import { resolveApplication } from '../job-host/resolve-application.ts';
import { defaultLimits } from '../limits.ts';
import { createApplication } from '../testing/sample-application.ts';
import { replyHeadersOf } from './reply-headers.ts';

function headersOf(http: object, authority: string, scheme: 'http' | 'https' = 'https'): readonly string[] {
  const hostJson = { version: '2.0', extensions: { http } };
  const application = resolveApplication(createApplication({ hostJson }), { cpus: 1, limits: defaultLimits });
  return replyHeadersOf(application, { scheme, authority, url: '', target: '', search: '' });
}

describe('replyHeadersOf', () => {
  const hsts = { isEnabled: true, maxAge: '10.00:00:00' };

  test('gives the custom headers of host.json in their order', () => {
    const customHeaders = { 'X-One': '1', 'X-Two': '2' };
    expect(headersOf({ customHeaders }, 'a.example', 'http')).toEqual(['X-One', '1', 'X-Two', '2']);
    expect(headersOf({}, 'a.example')).toEqual([]);
  });

  test('asks browsers to come back over TLS alone, when the app wants that', () => {
    const expected = ['Strict-Transport-Security', 'max-age=864000'];
    expect(headersOf({ hsts }, 'a.example:8443')).toEqual(expected);
    expect(headersOf({ hsts, customHeaders: { a: 'b' } }, 'a.example')).toEqual(['a', 'b', ...expected]);
    expect(headersOf({ hsts: { isEnabled: true } }, 'a.example')).toEqual([
      'Strict-Transport-Security',
      'max-age=2592000',
    ]);
  });

  test.each<[when: string, hsts: object, authority: string, scheme: 'http' | 'https']>([
    ['over plain HTTP', hsts, 'a.example', 'http'],
    ['when it is not enabled', { ...hsts, isEnabled: false }, 'a.example', 'https'],
    ['for localhost', hsts, 'localhost:7071', 'https'],
    ['for the address of the machine', hsts, '127.0.0.1:7071', 'https'],
    ['for its IPv6 address', hsts, '[::1]:7071', 'https'],
  ])('asks for nothing %s', (_when, given, authority, scheme) => {
    expect(headersOf({ hsts: given }, authority, scheme)).toEqual([]);
  });
});
