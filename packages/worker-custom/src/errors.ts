import { defineErrors, type ErrorDefinition } from '@switchyard/kernel';

type Kind = Omit<ErrorDefinition, 'message'>;

const byTheApp: Kind = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 1 };
const byTheHost: Kind = { blame: 'platform', retry: 'never', http: 500, grpc: 3, exit: 1 };

/** What can go wrong between a Functions host and a custom handler. */
export const customWorkerErrors = defineErrors({
  CUSTOM_HANDLER_MISSING: {
    ...byTheApp,
    message:
      '\'{file}\' has no section \'customHandler\', so there is no program to start. Add "customHandler": { "description": { "defaultExecutablePath": "<program>" } }, or set FUNCTIONS_WORKER_RUNTIME to the app\'s language.',
  },
  CUSTOM_HANDLER_HOST_JSON: {
    ...byTheApp,
    message: "'{file}' cannot be read: {reason}. A custom handler is described there: correct the file.",
  },
  CUSTOM_HANDLER_NOT_STARTED: {
    ...byTheApp,
    message:
      "The custom handler '{executable}' did not start: {reason}. Check 'customHandler.description' in host.json; a program of the app stands there with its path relative to the app's folder.",
  },
  CUSTOM_HANDLER_NOT_READY: {
    ...byTheApp,
    message:
      "The custom handler '{executable}' took no connection on 127.0.0.1:{port} within {timeoutMs} ms. It must listen on the port that the variable FUNCTIONS_CUSTOMHANDLER_PORT names; a slow one needs a longer 'customHandler.initializationTimeout' in host.json.",
  },
  CUSTOM_HANDLER_ENDED: {
    ...byTheApp,
    message: "The custom handler '{executable}' ended {when} ({how}). Its last output says why; a new one is started.",
  },
  CUSTOM_HANDLER_UNREACHABLE: {
    ...byTheApp,
    message:
      "The custom handler closed the connection without an answer to function '{functionName}' ({reason}). Answer every request, also after an error in the function.",
  },
  CUSTOM_HANDLER_TIMEOUT: {
    ...byTheApp,
    message:
      "The custom handler did not answer function '{functionName}' within {timeoutMs} ms, which is functionTimeout and a minute. Raise functionTimeout in host.json when the function may take longer.",
  },
  CUSTOM_HANDLER_STATUS: {
    ...byTheApp,
    message: "The custom handler answered function '{functionName}' with {status}: {body}",
  },
  CUSTOM_HANDLER_REPLY_INVALID: {
    ...byTheApp,
    message:
      'The custom handler answered function \'{functionName}\' with something that is no invocation result ({reason}): {body} Answer with JSON like {"Outputs":{"<binding>":<value>},"ReturnValue":<value>,"Logs":["<line>"]}, or set \'customHandler.enableForwardingHttpRequest\' in host.json for a function with an HTTP trigger and an HTTP output alone.',
  },
  CUSTOM_HANDLER_REPLY_TOO_LONG: {
    ...byTheApp,
    message:
      "The custom handler's answer to function '{functionName}' is longer than {limitBytes} bytes. Write it to a storage output instead.",
  },
  CUSTOM_HANDLER_HTTP_OUTPUT_INVALID: {
    ...byTheApp,
    message:
      'The output \'{output}\' of function \'{functionName}\' is an HTTP response, but its value is {value}. Write it as {"statusCode":200,"headers":{},"body":"..."}.',
  },
  CUSTOM_HANDLER_REQUEST_INVALID: {
    ...byTheHost,
    message: "The request for function '{functionName}' cannot be forwarded: {reason}.",
  },
  CUSTOM_ROUTE_INVALID: {
    ...byTheApp,
    message: "'customHandler.http.{key}' in '{file}' is {value}, but it must be {expected}.",
  },
  CUSTOM_FUNCTION_UNKNOWN: {
    ...byTheHost,
    message: "Function '{functionId}' is not loaded in this worker, so it cannot run.",
  },
  CUSTOM_WORKER_WITHOUT_APP: {
    ...byTheHost,
    message: 'This worker has no app yet. Send FunctionEnvironmentReloadRequest first.',
  },
  CUSTOM_INPUT_UNSUPPORTED: {
    ...byTheHost,
    message:
      "The input '{input}' of function '{functionName}' came through shared memory, which this worker does not offer.",
  },
  CUSTOM_INVOCATION_CANCELLED: {
    ...byTheHost,
    message: 'The invocation was cancelled by the host.',
  },
  CUSTOM_INVOCATIONS_EXHAUSTED: {
    ...byTheHost,
    retry: { afterMs: 1_000 },
    http: 503,
    grpc: 8,
    message: 'This worker has {limit} invocations in flight and takes no more.',
  },
});
