import { createSelfSigned } from '@switchyard/protocol/testing';
import { describe, expect, it } from 'vitest';
import { checkCertificate, checkCertificateName, namesIn } from './check-certificate.ts';

const origin = { path: '/etc/own.crt', flag: '--tls-certificate' };
const nowMs = Date.UTC(2026, 0, 1);
const good = createSelfSigned('good', ['10.1.2.3', 'switchyard-up']);

describe('checkCertificate', () => {
  it('lets a pair pass whose time is now', () => {
    expect(() => checkCertificate(good, origin, nowMs)).not.toThrow();
  });

  it.each([
    [
      'no certificate',
      { ...good, certificate: 'hello' },
      /'\/etc\/own\.crt', which --tls-certificate names.*no certificate/,
    ],
    ['no key', { ...good, key: 'hello' }, /its key cannot be read/],
    ['the key of another', { ...good, key: createSelfSigned('other').key }, /the key belongs to another certificate/],
  ])('refuses %s', (_what, pair, message) => {
    const check = (): void => checkCertificate(pair, origin, nowMs);
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code: 'CERTIFICATE_INVALID' }));
    expect(check).not.toThrow(/BEGIN/);
  });

  it.each([Date.UTC(2019, 0, 1), Date.UTC(2121, 0, 1)])('refuses one whose time is not %d', (atMs) => {
    expect(() => checkCertificate(good, origin, atMs)).toThrow(
      /good from 2020-01-01T00:00:00.000Z to 2120-01-01T00:00:00.000Z, and not now/,
    );
  });
});

describe('checkCertificateName', () => {
  it.each(['10.1.2.3', 'switchyard-up', 'localhost'])('knows %s', (host) => {
    expect(() => checkCertificateName(good.certificate, host, origin)).not.toThrow();
  });

  it.each(['10.1.2.4', 'switchyard'])('refuses %s, and says which names there are', (host) => {
    expect(() => checkCertificateName(good.certificate, host, origin)).toThrow(/DNS:localhost, IP Address:10\.1\.2\.3/);
  });
});

it('namesIn lists names and addresses', () => {
  expect(namesIn(good.certificate)).toEqual(['localhost', '10.1.2.3', 'switchyard-up']);
});
