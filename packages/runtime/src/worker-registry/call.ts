import type { InvocationResponse } from '@switchyard/protocol';
import type { InvocationError, LossReason } from '@switchyard/triggers';
import type { WorkerCapabilities } from './capabilities.ts';

/** One attempt of an invocation, on its way to a worker and back. It is settled exactly once. */
export interface Call {
  readonly invocationId: string;
  readonly functionId: string;
  readonly functionName: string;
  /** Calls with the same key belong to the same part of a source. */
  readonly partitionKey: string | undefined;
  /** When it was sent, in milliseconds of the monotonic clock; the dispatcher writes it. */
  sentAtMs: number;
  /** The serialized InvocationRequest, as a worker with these capabilities takes it. Throws when it cannot be made. */
  encode(capabilities: WorkerCapabilities): Uint8Array;
  settle(result: CallResult): void;
}

/** How an attempt ended. */
export type CallResult =
  /** The worker answered; whether the function succeeded stands in the response. */
  | { readonly kind: 'answered'; readonly response: InvocationResponse }
  /** It was never sent: the request could not be made, or the worker could not load the function. */
  | { readonly kind: 'refused'; readonly error: InvocationError }
  /** Its caller gave it up while it waited. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'lost'; readonly reason: LossReason; readonly error: InvocationError };
