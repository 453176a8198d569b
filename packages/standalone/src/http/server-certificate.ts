/** The certificate of a process that other machines reach: read once for all of its doors, and again when it was renewed. */
import { type Log, systemClock } from '@switchyard/kernel';
import type { Closers } from '../dev/closers.ts';
import { type CertificateFiles, readCertificates } from '../runtime/read-files.ts';
import type { CertificatePair } from './check-certificate.ts';
import { watchCertificate } from './watch-certificate.ts';

export interface ServerCertificate extends CertificatePair {
  /** The authorities of the certificates that clients show. */
  readonly clientCa: string | undefined;
  /** Tells of each renewed pair, until everything is closed. */
  onRenewal(show: (pair: CertificatePair) => void): void;
}

/** The flags by which every command names its own certificate. */
export const ownCertificateFlags = {
  certificate: '--tls-certificate',
  key: '--tls-key',
  authority: '--tls-client-ca',
} as const;

/** Undefined without files. Rejects with what `readCertificates` finds wrong. */
export async function openServerCertificate(
  files: CertificateFiles,
  { log, closers }: { readonly log: Log; readonly closers: Closers },
): Promise<ServerCertificate | undefined> {
  const read = async (): Promise<(CertificatePair & { readonly authority?: string }) | undefined> => {
    const { certificate, key, authority } = await readCertificates(files, ownCertificateFlags);
    if (certificate === undefined || key === undefined) return undefined;
    return { certificate, key, ...(authority === undefined ? {} : { authority }) };
  };
  const first = await read();
  if (first === undefined) return undefined;
  const shows: ((pair: CertificatePair) => void)[] = [];
  const stop = watchCertificate(
    {
      clock: systemClock,
      log,
      read: async () => (await read()) ?? first,
      show: (pair) => {
        for (const show of shows) show(pair);
      },
    },
    first,
  );
  closers.add('watch of the certificate', async () => stop());
  return {
    ...{ certificate: first.certificate, key: first.key, clientCa: first.authority },
    onRenewal: (show) => shows.push(show),
  };
}
