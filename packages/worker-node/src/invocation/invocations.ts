/**
 * The invocations in flight.
 *
 * Ownership: one per worker. An entry lives from its request to its answer.
 *
 * I1 Every accepted invocation is answered exactly once, whatever happens first: its end, or a stray error of its own.
 * I2 At most `limit` are in flight; one more is answered with a Failure at once.
 * I3 A second request with the id of a running one is dropped, and the running one is answered as if nothing was.
 */
import { TransientMap } from '@switchyard/kernel';
import type { InvocationRequest, InvocationResponse } from '@switchyard/protocol';
import { toFailure } from '../data/failure.ts';
import { emptyResponse } from '../data/to-wire.ts';
import { workerErrors } from '../errors.ts';
import { Cancellation } from './cancellation.ts';
import type { InvocationScope, RunningInvocation } from './invocation-scope.ts';

export interface InvocationsDeps {
  readonly scope: InvocationScope;
  /** Hears of a request that was dropped. */
  readonly onDropped: (error: Error) => void;
}

/** Runs the function; must not reject. */
export type Run = (cancellation: Cancellation) => Promise<InvocationResponse>;

type Call = Pick<RunningInvocation, 'invocationId' | 'functionName' | 'traceParent'>;

/** A class for its getter: an object that is made with one of its own gets a hidden class of its own, which is old. */
class Entry implements RunningInvocation {
  readonly invocationId: string;
  readonly functionName: string;
  readonly traceParent: string;
  readonly cancellation: Cancellation;
  readonly #entries: TransientMap<string, Entry>;
  readonly #answer: (response: InvocationResponse) => void;

  constructor(call: Call, entries: TransientMap<string, Entry>, answer: (response: InvocationResponse) => void) {
    this.invocationId = call.invocationId;
    this.functionName = call.functionName;
    this.traceParent = call.traceParent;
    this.cancellation = new Cancellation(call.invocationId);
    this.#entries = entries;
    this.#answer = answer;
  }

  get isOpen(): boolean {
    return this.#entries.get(this.invocationId) === this;
  }

  settle(response: InvocationResponse): void {
    if (!this.isOpen) return;
    this.#entries.delete(this.invocationId);
    this.#answer(response);
  }

  fail(thrown: unknown): void {
    this.settle(refusal(this.invocationId, thrown));
  }
}

function refusal(invocationId: string, error: unknown): InvocationResponse {
  return { ...emptyResponse(), invocationId, result: toFailure(error) };
}

export class Invocations {
  readonly #deps: InvocationsDeps;
  readonly #limit: number;
  readonly #entries = new TransientMap<string, Entry>();

  constructor(deps: InvocationsDeps, limit: number) {
    this.#deps = deps;
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Resolves with the answer; with nothing when the request was dropped. */
  start(request: InvocationRequest, functionName: string, run: Run): Promise<InvocationResponse | undefined> {
    const { invocationId, functionId, traceContext } = request;
    if (this.#entries.has(invocationId)) {
      this.#deps.onDropped(workerErrors.create('INVOCATION_REPEATED', { invocationId, functionId }));
      return Promise.resolve(undefined);
    }
    if (this.#entries.size >= this.#limit) {
      const error = workerErrors.create('INVOCATIONS_EXHAUSTED', { limit: this.#limit });
      return Promise.resolve(this.refuse(invocationId, error));
    }
    return new Promise((answer) => {
      const call = { invocationId, functionName, traceParent: traceContext?.traceParent ?? '' };
      const entry = new Entry(call, this.#entries, answer);
      this.#entries.set(invocationId, entry);
      this.#deps.scope.run(entry, () => {
        void run(entry.cancellation).then((response) => entry.settle(response));
      });
    });
  }

  /** The answer to an invocation that is not even started. */
  refuse(invocationId: string, error: unknown): InvocationResponse {
    return refusal(invocationId, error);
  }

  /** Unknown ids are those that have ended. */
  cancel(invocationId: string): void {
    this.#entries.get(invocationId)?.cancellation.cancel();
  }
}
