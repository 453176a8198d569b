/** A unary call of a worker to its Runtime, on its way through the sidecar: one message each way, which nobody there reads. */
import type { RpcMethod } from './transport/server-methods.ts';
import type { UnaryReply } from './transport/unary.ts';

export interface RuntimeCall {
  /** The method, like `/Settlement/Complete`. */
  readonly path: string;
  readonly request: Uint8Array;
  /** Aborts when the worker has given up. */
  readonly signal: AbortSignal;
}

/** Methods of a server that hand each call of these paths on. */
export function relayCalls(
  paths: readonly string[],
  call: (call: RuntimeCall, peer: string) => Promise<UnaryReply>,
): Readonly<Record<string, RpcMethod>> {
  return Object.fromEntries(
    paths.map((path) => [
      path,
      { kind: 'unary', call: (request, { signal, peer }) => call({ path, request, signal }, peer) } satisfies RpcMethod,
    ]),
  );
}
