import { defineErrors } from '@switchyard/kernel';

/** What goes wrong between an installation and its Runtimes of other processes. */
export const fleetErrors = defineErrors({
  FLEET_FULL: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 8,
    exit: 2,
    message:
      "The installation may have {maximum} Runtimes, and has them: '{name}' cannot join. Start it with a greater --max-runtimes.",
  },
  FLEET_JOIN_IN_CLEAR: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: 2,
    message:
      "The Runtime '{name}' would be reached in clear at '{url}'. Give it a certificate (--tls-certificate, --tls-key), or allow that at the installation with --allow-clear-tokens where the network protects it.",
  },
  FLEET_JOIN_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      'What a Runtime says of itself when it joins is not understood: {reason}. Use the same release on both ends.',
  },
  FLEET_JOIN_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 2,
    message:
      'The installation at {url} does not let this Runtime join: {reason}. The token must be one for all tenants with the scopes deploy and secrets: switchyard token control.',
  },
  FLEET_JOIN_TOKEN_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 401,
    grpc: 16,
    exit: 2,
    message:
      'A Runtime needs a token to join {url}. Put one made by `switchyard token control --keys <data folder>/keys --scope deploy --scope secrets` into the variable SWITCHYARD_JOIN_TOKEN.',
  },
  FLEET_METHOD_UNKNOWN: {
    blame: 'platform',
    retry: 'never',
    http: 501,
    grpc: 12,
    exit: 1,
    message: "The other end asks for '{method}', which this release does not know. Use the same release on both ends.",
  },
  FLEET_NO_RUNTIME: {
    blame: 'platform',
    retry: { afterMs: 1_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: "No Runtime can take the app '{applicationId}': {reason}.",
  },
  FLEET_RUNTIME_LOST: {
    blame: 'platform',
    retry: 'never',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      "The Runtime '{runtimeId}' ended while it had the request: {reason}. Whether the function ran is not known, so it was not tried again.",
  },
});
