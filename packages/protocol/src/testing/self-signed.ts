/** Certificates for TLS tests: nothing that expires, and no key in the repository. */
export { createSelfSigned, type SelfSigned } from '../transport/self-signed.ts';
