import { defineErrors } from '@switchyard/kernel';

const byTheUser = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;

/** What is wrong with the certificates of doors that other machines reach. */
export const certificateErrors = defineErrors({
  CERTIFICATE_INVALID: {
    ...byTheUser,
    message:
      "The certificate '{path}', which {flag} names, cannot be shown: {reason}. Name a PEM file with the certificate first and its chain after it, and the key that belongs to it.",
  },
  CERTIFICATE_NOT_NOW: {
    ...byTheUser,
    message:
      "The certificate '{path}', which {flag} names, is good from {from} to {to}, and not now. Renew it, or set this machine's clock.",
  },
  CERTIFICATE_NAME: {
    ...byTheUser,
    message:
      "The certificate '{path}', which {flag} names, is not one for '{host}', at which other machines connect; it has {names}. Have one made for that name, or name another address with --advertised-host.",
  },
  HTTPS_CERTIFICATE_MISSING: {
    ...byTheUser,
    message: '{flag} needs a certificate. Name one with --tls-certificate, and its key with --tls-key.',
  },
  DOOR_IN_CLEAR: {
    ...byTheUser,
    message:
      "Tokens would cross the network in clear to '{host}', which {flag} names. Give the installation a certificate (--tls-certificate, --tls-key), listen on 127.0.0.1, or allow it with --allow-clear-tokens where the network protects them.",
  },
  DOOR_UNREACHABLE: {
    ...byTheUser,
    message:
      'Other machines cannot reach this one for {what}: {reason}. Open the port with {flag}, and say with --advertised-host at which address they find it.',
  },
});
