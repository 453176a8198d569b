/**
 * Who the client of a connection is by its certificate, as metadata of its links. Only the transport sets it: what a peer
 * sends under this name is dropped.
 */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Metadata } from './metadata.ts';

/** The name of the metadata. */
export const peerCertificateMetadata = 'x-switchyard-peer-certificate';

/** A client certificate that the server's authority has signed. */
export interface PeerIdentity {
  /** The subject's common name; empty when it has none, or several. */
  readonly commonName: string;
  /** SHA-256 of the certificate: upper-case hexadecimal pairs with colons. */
  readonly fingerprint: string;
}

/** The value for a connection; undefined when it shows no certificate, or one that was not verified. */
export function describePeerCertificate(socket: TLSSocket): string | undefined {
  if (!socket.encrypted || !socket.authorized) return undefined;
  // An empty object when the peer has shown none.
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (certificate.fingerprint256 === undefined) return undefined;
  const commonName: unknown = certificate.subject?.CN;
  const identity: PeerIdentity = {
    commonName: typeof commonName === 'string' ? commonName : '',
    fingerprint: certificate.fingerprint256,
  };
  return JSON.stringify(identity);
}

/** Who the client of a link is; undefined when the connection has shown no certificate that was verified. */
export function readPeerCertificate(metadata: Metadata): PeerIdentity | undefined {
  const value = metadata.get(peerCertificateMetadata);
  // The transport has written it: see describePeerCertificate.
  return value === undefined ? undefined : (JSON.parse(value) as PeerIdentity);
}

/** The metadata that an acceptor sees: what the peer sent, and who the transport knows it to be. */
export function withPeerCertificate(sent: Metadata, certificate: string | undefined): Metadata {
  if (certificate === undefined && !sent.has(peerCertificateMetadata)) return sent;
  const metadata = new Map(sent);
  metadata.delete(peerCertificateMetadata);
  if (certificate !== undefined) metadata.set(peerCertificateMetadata, certificate);
  return metadata;
}
