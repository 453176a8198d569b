import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** From now on every client of this process believes these authorities as well, besides those that it believes anyway. */
export function trustAuthority(certificates: string): void {
  const each = certificates.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  setDefaultCACertificates([...getCACertificates('default'), ...each]);
}
