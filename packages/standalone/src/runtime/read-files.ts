import { readFile } from 'node:fs/promises';
import { messageOf, systemClock } from '@switchyard/kernel';
import { checkCertificate } from '../http/check-certificate.ts';
import { runtimeProcessErrors } from './errors.ts';

/** The text of a file that a flag names. Rejects with RUNTIME_FILE_UNREADABLE. */
export async function readNamedFile(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw runtimeProcessErrors.create('RUNTIME_FILE_UNREADABLE', { path, flag, reason: messageOf(thrown) }, thrown);
  }
}

/** PEM files of one end of a connection, by the flags that name them. */
export interface CertificateFiles {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** The authorities of the other end. */
  readonly authority: string | undefined;
}

export interface CertificateFlags {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** What the files hold. */
export interface Certificates {
  readonly certificate?: string;
  readonly key?: string;
  readonly authority?: string;
}

/**
 * Reads the files, and makes sure that the certificate can be shown now.
 * Rejects with RUNTIME_FILE_UNREADABLE, with RUNTIME_TLS_INCOMPLETE when one of a pair is missing, and with CERTIFICATE_INVALID or
 * CERTIFICATE_NOT_NOW.
 */
export async function readCertificates(files: CertificateFiles, flags: CertificateFlags): Promise<Certificates> {
  const { certificate, key, authority } = files;
  if ((certificate === undefined) !== (key === undefined)) {
    const [given, missing] = key === undefined ? [flags.certificate, flags.key] : [flags.key, flags.certificate];
    throw runtimeProcessErrors.create('RUNTIME_TLS_INCOMPLETE', { given, missing });
  }
  const read = async (path: string | undefined, flag: string): Promise<string | undefined> =>
    path === undefined ? undefined : await readNamedFile(path, flag);
  const texts = {
    certificate: await read(certificate, flags.certificate),
    key: await read(key, flags.key),
    authority: await read(authority, flags.authority),
  };
  if (certificate !== undefined && texts.certificate !== undefined && texts.key !== undefined) {
    const pair = { certificate: texts.certificate, key: texts.key };
    checkCertificate(pair, { path: certificate, flag: flags.certificate }, systemClock.now());
  }
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined));
}
