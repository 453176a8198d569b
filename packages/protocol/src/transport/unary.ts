/** Unary calls on top of a Link: one frame each way, and a deadline at both ends. */
import { type Clock, isPlatformError, type Log, messageOf } from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkEnd, type LinkStatus } from '../link.ts';

/** How a unary call went. */
export type UnaryOutcome =
  | { readonly kind: 'answered'; readonly message: Uint8Array }
  | { readonly kind: 'failed'; readonly status: LinkEnd };

/** What a unary handler learns about its call. */
export interface UnaryContext {
  readonly peer: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Aborts when the caller is gone or its deadline has passed. */
  readonly signal: AbortSignal;
}

/** The bytes of the answer, or the status that stands in for one. */
export type UnaryReply = Uint8Array | LinkStatus;

/**
 * Answers one call. A thrown PlatformError becomes its gRPC status and message; anything else thrown becomes INTERNAL
 * and is logged, without its text leaving the process.
 */
export type UnaryCall = (request: Uint8Array, context: UnaryContext) => UnaryReply | Promise<UnaryReply>;

/** Sends `request` and waits for the one answer. Never rejects; what goes wrong is the outcome's status. */
export async function callUnary(
  clock: Clock,
  link: Link,
  request: Uint8Array,
  timeoutMs: number,
): Promise<UnaryOutcome> {
  let answer: Uint8Array | undefined;
  const timer = clock.schedule(timeoutMs, () =>
    link.cancel({ code: grpcStatus.deadlineExceeded, message: `${link.peer} has not answered within ${timeoutMs} ms` }),
  );
  link.receive({
    frame: (bytes) => {
      if (answer) link.cancel(tooMany);
      answer = bytes;
    },
  });
  link.send(request);
  link.end();
  const status = await link.closed;
  timer.cancel();
  if (status.code !== grpcStatus.ok) return { kind: 'failed', status };
  if (answer) return { kind: 'answered', message: answer };
  return { kind: 'failed', status: { ...noMessage, origin: 'peer' } };
}

/** Serves one unary call: waits for the request, runs `call`, sends the answer or the status. */
export function serveUnary(clock: Clock, log: Log, link: Link, call: UnaryCall, timeoutMs: number): void {
  let request: Uint8Array | undefined;
  const abort = new AbortController();
  const timer = clock.schedule(timeoutMs, () =>
    link.cancel({ code: grpcStatus.deadlineExceeded, message: `the call was not done within ${timeoutMs} ms` }),
  );
  void link.closed.then(() => {
    timer.cancel();
    abort.abort();
  });
  const context = { peer: link.peer, metadata: link.metadata, signal: abort.signal };
  link.receive({
    frame: (bytes) => {
      if (request) link.cancel(tooMany);
      request = bytes;
    },
    end: () => {
      if (request) void answer(log, link, call, request, context);
      else link.cancel(noMessage);
    },
  });
}

async function answer(
  log: Log,
  link: Link,
  call: UnaryCall,
  request: Uint8Array,
  context: UnaryContext,
): Promise<void> {
  const reply = await settle(log, link, call, request, context);
  if (!(reply instanceof Uint8Array)) return link.end(reply);
  link.send(reply);
  link.end();
}

async function settle(
  log: Log,
  link: Link,
  call: UnaryCall,
  request: Uint8Array,
  context: UnaryContext,
): Promise<UnaryReply> {
  try {
    return await call(request, context);
  } catch (thrown) {
    if (isPlatformError(thrown)) return { code: thrown.definition.grpc, message: thrown.message };
    log.write('error', 'a unary handler threw', { peer: link.peer, error: messageOf(thrown) });
    return { code: grpcStatus.internal, message: 'the call failed inside the server' };
  }
}

const tooMany: LinkStatus = {
  code: grpcStatus.internal,
  message: 'a unary call carries one message each way, not more',
};
const noMessage: LinkStatus = {
  code: grpcStatus.internal,
  message: 'a unary call carries one message each way, none came',
};
