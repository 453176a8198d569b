import { defineErrors } from '@switchyard/kernel';

/** What can go wrong with an HTTP stream between a caller and a worker. */
export const httpStreamErrors = defineErrors({
  HTTP_STREAMING_UNAVAILABLE: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 12,
    exit: 1,
    message:
      'The worker streams HTTP (app.setup({ enableHttpStream: true })), but this Runtime was given no way to send requests to it.',
  },
  HTTP_STREAM_UNREACHABLE: {
    blame: 'platform',
    retry: 'safe',
    http: 500,
    grpc: 14,
    exit: 1,
    message:
      "The request for function '{functionName}' did not reach its worker: nothing took a connection at {httpUri} in {tries} tries ({reason}). The worker announced that address as its HttpUri; look whether the app closed the server behind it.",
  },
  HTTP_STREAM_IDLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 4,
    exit: 1,
    message:
      "The HTTP stream of function '{functionName}' was ended, because nothing moved on it for {timeoutMs} ms. Answer sooner, or send something now and then, such as a comment line of server-sent events.",
  },
  HTTP_STREAM_BROKEN: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 14,
    exit: 1,
    message:
      "The worker broke off its HTTP answer for function '{functionName}': {reason}. Its caller got 500, or a broken connection when the answer had begun. Look for an error in the stream that the function returned, or for the end of the worker's process.",
  },
  HTTP_STREAM_UNREADABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 13,
    exit: 1,
    message:
      "What the worker answered for function '{functionName}' cannot be passed on: {reason}. Its caller got 500. Send valid headers, of 64 KiB at most together; what is longer belongs into the body.",
  },
} as const);
