import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** From now on every client of this process believes an authority as well, besides those that it believes anyway. */
export function trustAuthority(certificate: string): void {
  setDefaultCACertificates([...getCACertificates('default'), certificate]);
}
