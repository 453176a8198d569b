import { defineErrors } from '@switchyard/kernel';

/** The caller asked for what cannot be had. */
const byTheCaller = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: 2 } as const;
/** Nothing is wrong with the request: it came at a bad moment. */
const forNow = { blame: 'platform', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;

/** Everything that a caller of the broker, a host or a capability can meet. */
export const capabilityErrors = defineErrors({
  CAPABILITY_NOT_FOUND: {
    ...byTheCaller,
    http: 404,
    grpc: 5,
    message: "There is no capability '{name}'. 'switchyard caps ls' lists those that are registered.",
  },
  VERSION_MISMATCH: {
    ...byTheCaller,
    http: 409,
    grpc: 9,
    message: "No version of '{name}' satisfies {ranges}; registered: {versions}. Widen the range or register another.",
  },
  DEPENDENCY_MISSING: {
    ...byTheCaller,
    http: 409,
    grpc: 9,
    message: "'{name}' cannot be had, because it needs '{dependency}': {reason}",
  },
  SHARD_UNAVAILABLE: { ...forNow, message: "'{shard}' is not there: {reason}. Acquire the capability again." },
  TIMEOUT: {
    ...forNow,
    http: 504,
    grpc: 4,
    message: '{what} took more than {timeoutMs} ms. Allow more time, or try again: what was begun goes on.',
  },
  RESOURCE_EXHAUSTED: {
    ...forNow,
    http: 429,
    grpc: 8,
    message: '{what} is at its limit of {limit}: {reason}. Try again later, or raise the limit.',
  },
  INVALID_PAYLOAD: { ...byTheCaller, message: '{what} cannot be used: {reason}.' },
  CIRCUIT_OPEN: {
    ...forNow,
    message: "'{shard}' failed too often and is left alone for {holdMs} ms. Try again after that.",
  },
  CANCELLED: { ...byTheCaller, http: 499, grpc: 1, message: '{what} was cancelled: {reason}.' },
  RELEASED: {
    ...byTheCaller,
    http: 410,
    grpc: 9,
    message: "The lease of '{name}' has ended: {reason}. Acquire it again.",
  },
  UNAUTHENTICATED: {
    ...byTheCaller,
    http: 401,
    grpc: 16,
    message: 'The token is not good for this broker. Use the one in the environment of the worker, which may be newer.',
  },
  FORBIDDEN: {
    ...byTheCaller,
    http: 403,
    grpc: 7,
    message: "'{action}' is not allowed for account '{account}': {reason}.",
  },
  METHOD_NOT_FOUND: {
    ...byTheCaller,
    http: 404,
    grpc: 12,
    message: "'{name}' has no method '{method}'. It has: {methods}.",
  },
  CAPABILITY_FAILED: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 1,
    message: "'{method}' of '{name}' failed: {reason}",
  },
  CAPABILITY_LOAD_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 13,
    exit: 1,
    message: "'{name}' {version} could not be loaded: {reason}. Mend it, and register it again.",
  },
  CAPABILITY_MANIFEST_INVALID: {
    ...byTheCaller,
    message: "The manifest of capability '{name}' is not valid: {reason}.",
  },
  DEPENDENCY_CYCLE: {
    ...byTheCaller,
    message: "'{name}' cannot be registered, because capabilities would depend on themselves: {cycle}.",
  },
  DIGEST_MISMATCH: {
    ...byTheCaller,
    message:
      "The code of '{name}' is not what its manifest names: sha256 {actual} instead of {expected}. Register the file that you mean.",
  },
  WEB_ADDRESS_REFUSED: {
    ...byTheCaller,
    http: 403,
    grpc: 7,
    message:
      "'{url}' is not fetched: {reason}. Capabilities reach public addresses only, unless the operator allows more.",
  },
});
