import { readCertificates } from '../runtime/read-files.ts';
import type { SidecarProcessOptions } from './sidecar-options.ts';

/** What the ports of a sidecar show and want to see; undefined without a certificate. */
export interface OwnTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa?: string;
}

/** Rejects with RUNTIME_FILE_UNREADABLE and RUNTIME_TLS_INCOMPLETE. */
export async function readOwnTls({ tls }: Pick<SidecarProcessOptions, 'tls'>): Promise<OwnTls | undefined> {
  const { certificate, key, authority } = await readCertificates(tls, {
    certificate: '--tls-certificate',
    key: '--tls-key',
    authority: '--tls-client-ca',
  });
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate, key, ...(authority === undefined ? {} : { clientCa: authority }) };
}
