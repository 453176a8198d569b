import { defineErrors } from '@switchyard/kernel';

/** What keeps a sidecar from running as a process of its own. */
export const sidecarProcessErrors = defineErrors({
  SIDECAR_WORKER_ID_MISSING: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      'WORKER_AUTH_TOKEN belongs to one worker, and WORKER_ID does not say which. Set it to the id that the token names.',
  },
  SIDECAR_PROXY_IN_CLEAR: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: 2,
    message:
      "The Runtime would send callers' requests and the token of the worker's route in clear to '{host}' (--http-host). Give the sidecar a certificate (--tls-certificate, --tls-key), stay on 127.0.0.1, or allow it with --allow-clear-tokens where the network protects them.",
  },
  SIDECAR_PROXY_ADDRESS: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 2,
    message:
      "No Runtime finds the worker's HTTP at '{host}' (--http-host) with the address '{url}' (--http-url). Name it as the Runtime reaches it: --http-url https://pods.example:8443.",
  },
  SIDECAR_WRAPPER_SILENT: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "No wrapper answered at '{path}' within {timeoutMs} ms. Start it first: switchyard wrapper --socket {path} -- <program of the worker>.",
  },
  SIDECAR_WORKER_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "Worker '{workerId}' ended ({how}). Its last output was:\n{output}",
  },
});
