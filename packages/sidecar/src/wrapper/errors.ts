import { defineErrors } from '@switchyard/kernel';

/** What the socket of a wrapper answers to requests that it cannot take, and what keeps a wrapper from starting. */
export const wrapperErrors = defineErrors({
  WRAPPER_REQUEST_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message: "The request cannot be used: '{key}' must be {expected}.",
  },
  WRAPPER_REQUEST_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 8,
    exit: 2,
    message: 'The body is longer than {limit} bytes. A command line is shorter; send settings to the sidecar instead.',
  },
  WRAPPER_METHOD_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 405,
    grpc: 12,
    exit: 2,
    message: '{path} takes {allowed}, not {method}.',
  },
  WRAPPER_PATH_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 2,
    message: "There is no '{path}' here. A wrapper has POST /restart, POST /shutdown and GET /status.",
  },
});
