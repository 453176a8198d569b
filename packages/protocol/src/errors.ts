import { defineErrors, type ErrorCatalogue } from '@switchyard/kernel';

export type ProtocolErrorCode =
  | 'RPC_LISTEN_FAILED'
  | 'RPC_TLS_INVALID'
  | 'RPC_METADATA_INVALID'
  | 'RPC_ENDPOINT_INVALID'
  | 'FLEET_CALL_LATE'
  | 'FLEET_CHANNEL_CLOSED';

/** What can go wrong at the edge of a process. Everything that happens to an open stream is a `LinkStatus` instead. */
export const protocolErrors: ErrorCatalogue<ProtocolErrorCode> = defineErrors<ProtocolErrorCode>({
  RPC_LISTEN_FAILED: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 14,
    exit: 1,
    message:
      'the gRPC server could not listen on {host}:{port}: {reason}. Choose another port or end the process that holds it',
  },
  RPC_METADATA_INVALID: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 1,
    message: "metadata '{name}' cannot be sent: {reason}",
  },
  RPC_TLS_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 3,
    message:
      'the TLS key or certificate cannot be used: {reason}. Give PEM texts, and the key that belongs to the certificate',
  },
  RPC_ENDPOINT_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 3,
    exit: 1,
    message: "'{endpoint}' is no gRPC endpoint: {reason}. Write it as http://host:port or https://host:port",
  },
  FLEET_CALL_LATE: {
    blame: 'platform',
    retry: 'never',
    http: 504,
    grpc: 4,
    exit: 1,
    message:
      "The other end of a Runtime's channel did not answer '{method}' within {timeoutMs} ms. Whether it was done is not known: look at `switchyard runtimes`.",
  },
  FLEET_CHANNEL_CLOSED: {
    blame: 'dependency',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "The channel between an installation and its Runtime ended before '{method}' was answered: {reason}. The app is given to another Runtime; try again.",
  },
});
