import { defineErrors } from '@switchyard/kernel';

/** What keeps a Runtime, or a sidecar, from running as a process of its own. */
export const runtimeProcessErrors = defineErrors({
  RUNTIME_KEYS_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message:
      'Nothing says whose tokens count. Name the public keys with --keys (a file, or the address of a jwks.json) or the folder of the signing keys with --signing-keys, or let every worker in with --no-tokens.',
  },
  RUNTIME_KEYS_TWICE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message: 'Both --keys and --signing-keys say whose tokens count. Leave one of them out.',
  },
  RUNTIME_SIGNING_KEYS: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message:
      "'{path}', which --signing-keys names, holds no signing key. Name the folder in which the installation keeps its keys; `switchyard token jwks --keys <folder>` makes a new one.",
  },
  RUNTIME_WORKER_NETWORK: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message:
      "'{text}', which --worker-network names, is no network. Name an address (10.1.2.3), a network (10.0.0.0/8) or a host (pods.example).",
  },
  RUNTIME_KEYS_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message:
      "'{path}' holds no public keys: {reason}. Write them with: switchyard token jwks --keys <folder> > {path}.",
  },
  RUNTIME_PORT_IN_CLEAR: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message:
      "Workers would send their tokens in clear to '{host}'. Give the port a certificate (--tls-certificate, --tls-key), listen on 127.0.0.1, or allow it with --allow-clear-tokens where the network protects them.",
  },
  RUNTIME_FILE_UNREADABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message: "'{path}', which {flag} names, cannot be read: {reason}.",
  },
  RUNTIME_TLS_INCOMPLETE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 2,
    message: '{given} is of no use without {missing}. Name both.',
  },
  RUNTIME_APPLICATIONS_LIMIT: {
    blame: 'platform',
    retry: 'never',
    http: 503,
    grpc: 8,
    exit: 1,
    message:
      "The app '{applicationId}' is not taken: this Runtime hosts {limit} announced apps already, which is the most. Announce it to another Runtime.",
  },
  RUNTIME_HOST_JSON_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "The host.json of the app '{applicationId}' cannot be used: {reason}.",
  },
});
