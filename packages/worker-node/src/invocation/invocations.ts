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

interface Entry extends RunningInvocation {
  readonly cancellation: Cancellation;
  settle(response: InvocationResponse): void;
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
      const entry = this.#open(call, answer);
      this.#entries.set(invocationId, entry);
      this.#deps.scope.run(entry, () => {
        void run(entry.cancellation).then(entry.settle);
      });
    });
  }

  /** The answer to an invocation that is not even started. */
  refuse(invocationId: string, error: unknown): InvocationResponse {
    return { ...emptyResponse(), invocationId, result: toFailure(error) };
  }

  /** Unknown ids are those that have ended. */
  cancel(invocationId: string): void {
    this.#entries.get(invocationId)?.cancellation.cancel();
  }

  #open(
    call: Pick<Entry, 'invocationId' | 'functionName' | 'traceParent'>,
    answer: (response: InvocationResponse) => void,
  ): Entry {
    const { invocationId } = call;
    const cancellation = new Cancellation(invocationId);
    const entries = this.#entries;
    const settle = (response: InvocationResponse): void => {
      if (entries.get(invocationId) !== entry) return;
      entries.delete(invocationId);
      answer(response);
    };
    const entry: Entry = {
      ...call,
      cancellation,
      settle,
      get isOpen() {
        return entries.get(invocationId) === entry;
      },
      fail: (thrown) => settle(this.refuse(invocationId, thrown)),
    };
    return entry;
  }
}
