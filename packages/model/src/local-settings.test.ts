import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLocalSettings } from './local-settings.ts';

const parse = (value: unknown) => parseLocalSettings(JSON.stringify(value), 'local.settings.json');

describe('parseLocalSettings', () => {
  it('reads values, connection strings and the host section', () => {
    const text = `{
      // comments are fine
      "IsEncrypted": false,
      "Values": { "FUNCTIONS_WORKER_RUNTIME": "node", "Number": 8, "Truth": true, "Nothing": null, "Empty": "" },
      "ConnectionStrings": { "Sql": "Server=x", "Other": { "ConnectionString": "Server=y", "ProviderName": "p" } },
      "Host": { "LocalHttpPort": 7071, "CORS": "http://a, http://b", "CORSCredentials": true },
    }`;
    const parsed = parseLocalSettings(text, 'local.settings.json');
    expect([...parsed.settings]).toEqual([
      ['FUNCTIONS_WORKER_RUNTIME', 'node'],
      ['Number', '8'],
      ['Truth', 'true'],
      ['Empty', ''],
      ['ConnectionStrings:Sql', 'Server=x'],
      ['ConnectionStrings:Other', 'Server=y'],
    ]);
    expect(parsed.host).toEqual({ localHttpPort: 7071, corsOrigins: ['http://a', 'http://b'], corsCredentials: true });
  });

  it('needs nothing', () => {
    expect(parse({})).toEqual({ settings: new Map(), host: { corsOrigins: [], corsCredentials: false } });
    expect(parse({ Values: null, Host: null }).settings.size).toBe(0);
  });

  it('takes keys in any case and values written as texts', () => {
    const parsed = parse({ values: { a: 'b' }, isEncrypted: 'False', HOST: { localhttpport: '7072' } });
    expect(parsed.settings.get('a')).toBe('b');
    expect(parsed.host.localHttpPort).toBe(7072);
  });

  it.each([
    [{ IsEncrypted: true, Values: { A: 'cipher' } }, 'func settings decrypt'],
    [{ Values: { Sub: { a: 'topsecret' } } }, '"Values.Sub" cannot be used: it is an object'],
    [{ Values: { List: ['topsecret'] } }, '"Values.List" cannot be used: it is an array'],
    [{ Values: ['x'] }, '"Values" cannot be used: it must be a JSON object'],
    [{ ConnectionStrings: { A: { ConnectionString: {} } } }, '"ConnectionStrings.A" cannot be used'],
    [{ Host: { LocalHttpPort: 70_000 } }, '70000 is no port'],
    [{ Host: { LocalHttpPort: 'http' } }, '"http" is no port'],
    [{ Host: { CORS: ['a'] } }, '"Host.CORS" cannot be used'],
    [{ Host: { CORSCredentials: 1 } }, '1 is neither true nor false'],
    [[], 'must hold a JSON object'],
  ])('refuses %j, naming key and fix and no secret', (value, message) => {
    expect(() => parse(value)).toThrow(message);
    expect(() => parse(value)).toThrow('local.settings.json');
    expect(() => parse(value)).not.toThrow('topsecret');
  });

  it('keeps hostile names as plain settings', () => {
    const parsed = parseLocalSettings('{"Values":{"__proto__":"x","constructor":"y"}}', 'f');
    expect([...parsed.settings]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('answers any JSON with settings or a catalogued error', () => {
    const keys = fc.constantFrom('Values', 'Host', 'ConnectionStrings', 'IsEncrypted', 'CORS', 'LocalHttpPort');
    const document = fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.dictionary(keys, fc.jsonValue())));
    fc.assert(
      fc.property(document, (value) => {
        try {
          for (const [, setting] of parse(value).settings) expect(typeof setting).toBe('string');
        } catch (thrown) {
          expect(isPlatformError(thrown)).toBe(true);
        }
      }),
    );
  });
});
