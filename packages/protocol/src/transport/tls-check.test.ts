import { describe, expect, it } from 'vitest';
import { createSelfSigned } from '../testing/self-signed.ts';
import { checkTls, explainTlsFailure } from './tls-check.ts';

const one = createSelfSigned('one');
const other = createSelfSigned('other');

describe('the check of keys and certificates', () => {
  it('lets pass what belongs together, and nothing at all', () => {
    expect(() => checkTls({ cert: one.certificate, key: one.key, ca: other.certificate })).not.toThrow();
    expect(() => checkTls({})).not.toThrow();
  });

  it.each([
    ['a key of another certificate', { cert: one.certificate, key: other.key }],
    ['a certificate without a key', { cert: one.certificate }],
    ['a key without a certificate', { key: one.key }],
    ['a certificate that is no PEM', { cert: 'certificate', key: one.key }],
    ['a key that is no PEM', { cert: one.certificate, key: 'key' }],
    ['an authority that is no PEM', { ca: 'authority' }],
  ])('refuses %s', (_what, material) => {
    expect(() => checkTls(material)).toThrow(expect.objectContaining({ code: 'RPC_TLS_INVALID' }));
  });

  it('quotes no key', () => {
    let message = '';
    try {
      checkTls({ cert: one.certificate, key: `${other.key.slice(0, 80)}broken` });
    } catch (thrown) {
      message = String(thrown);
    }
    expect(message).toMatch(/TLS key or certificate cannot be used/);
    expect(message).not.toContain(other.key.slice(30, 60));
  });
});

describe('the explanation of a failed handshake', () => {
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /name the authority/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /name the authority/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /serverName/],
    ['CERT_HAS_EXPIRED', /clock/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /client certificate/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /no TLS/],
  ])('says what to do about %s', (code, hint) => {
    const text = explainTlsFailure(Object.assign(new Error('what OpenSSL says'), { code }));
    expect(text).toMatch(/^what OpenSSL says\. /);
    expect(text).toMatch(hint);
  });

  it('leaves other errors as they are', () => {
    expect(explainTlsFailure(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))).toBe('refused');
    expect(explainTlsFailure(new Error('cut'))).toBe('cut');
  });
});
