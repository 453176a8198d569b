import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { messageOf } from '@switchyard/kernel';
import { certificateErrors } from './errors.ts';

/** A certificate with its chain, and its key, as PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

/** What messages call it: a path, and the flag that names that. */
export interface CertificateOrigin {
  readonly path: string;
  readonly flag: string;
}

/**
 * Proves that a certificate can be shown now: it can be read, the key is its own, and its time has begun and not ended.
 * @throws PlatformError CERTIFICATE_INVALID, CERTIFICATE_NOT_NOW; neither quotes a key
 */
export function checkCertificate(
  { certificate, key }: CertificatePair,
  origin: CertificateOrigin,
  nowMs: number,
): void {
  const { path, flag } = origin;
  const invalid = (reason: string): Error => certificateErrors.create('CERTIFICATE_INVALID', { path, flag, reason });
  const parsed = attempt(
    () => new X509Certificate(certificate),
    (reason) => invalid(`it holds no certificate in PEM (${reason})`),
  );
  const own = attempt(
    () => createPrivateKey(key),
    (reason) => invalid(`its key cannot be read (${reason})`),
  );
  if (!parsed.checkPrivateKey(own)) throw invalid('the key belongs to another certificate');
  const { validFromDate, validToDate } = parsed;
  if (nowMs >= validFromDate.getTime() && nowMs <= validToDate.getTime()) return;
  const [from, to] = [validFromDate.toISOString(), validToDate.toISOString()];
  throw certificateErrors.create('CERTIFICATE_NOT_NOW', { path, flag, from, to });
}

/**
 * Proves that a certificate is one for the name at which others connect.
 * @throws PlatformError CERTIFICATE_NAME
 */
export function checkCertificateName(certificate: string, host: string, { path, flag }: CertificateOrigin): void {
  const parsed = new X509Certificate(certificate);
  const matching = isIP(host) === 0 ? parsed.checkHost(host) : parsed.checkIP(host);
  if (matching !== undefined) return;
  const names = parsed.subjectAltName ?? 'no name';
  throw certificateErrors.create('CERTIFICATE_NAME', { path, flag, host, names });
}

/** The names and addresses that a certificate is for; a name that stands for several is none. */
export function namesIn(certificate: string): readonly string[] {
  const text = new X509Certificate(certificate).subjectAltName ?? '';
  return [...text.matchAll(/(?:^|, )(?:DNS|IP Address):([^,"*]+)/g)].map(([, name = '']) => name);
}

function attempt<T>(read: () => T, toError: (reason: string) => Error): T {
  try {
    return read();
  } catch (thrown) {
    throw toError(messageOf(thrown));
  }
}
