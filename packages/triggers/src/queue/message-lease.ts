/**
 * Keeps one message ours while it is worked on: renews its invisibility at half time.
 *
 * Purpose: hold the one valid receipt, which every renewal replaces, so that nobody settles with a stale one.
 * Ownership: the message's handling owns the lease and ends it once; the receipt is given out only by that.
 *
 * I1 Renewals come at half of the visibility after the last one; after a fault the next try comes sooner.
 * I2 No two requests about the message are under way at once: `end` waits for a renewal that is.
 * I3 After `end` nothing is renewed.
 * I4 A message that is no longer ours is not renewed again.
 */
import { type Clock, createDeferred, type Log, messageOf, type Timer } from '@switchyard/kernel';
import { request } from '../storage/storage-request.ts';
import type { MessageReceipt, QueueClient } from './queue-client.ts';

/** After a fault, the next renewal comes no sooner than this. */
const minRetryMs = 60_000;

export interface LeaseDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly client: QueueClient;
}

type State =
  | { readonly kind: 'waiting'; readonly timer: Timer }
  | { readonly kind: 'renewing'; readonly done: Promise<void> }
  | { readonly kind: 'ended' };

export class MessageLease {
  readonly #deps: LeaseDeps;
  readonly #visibilityMs: number;
  #receipt: MessageReceipt;
  #state: State;

  constructor(deps: LeaseDeps, receipt: MessageReceipt, visibilityMs: number) {
    this.#deps = deps;
    this.#visibilityMs = visibilityMs;
    this.#receipt = { id: receipt.id, popReceipt: receipt.popReceipt };
    this.#state = this.#waiting(visibilityMs / 2);
  }

  /** Ends the lease; resolves with the receipt that is valid now. */
  async end(): Promise<MessageReceipt> {
    const state = this.#state;
    this.#state = { kind: 'ended' };
    if (state.kind === 'waiting') state.timer.cancel();
    if (state.kind === 'renewing') await state.done;
    return this.#receipt;
  }

  #waiting(delayMs: number): State {
    return { kind: 'waiting', timer: this.#deps.clock.schedule(delayMs, () => this.#begin(delayMs)) };
  }

  #begin(delayMs: number): void {
    const done = createDeferred<void>();
    this.#state = { kind: 'renewing', done: done.promise };
    this.#renew(delayMs).then(done.resolve, done.reject);
  }

  async #renew(delayMs: number): Promise<void> {
    const { client, log } = this.#deps;
    let nextMs: number | undefined;
    try {
      const result = await request(this.#deps, { operation: 'renew', queue: client.name }, (signal) =>
        client.setVisibility(this.#receipt, this.#visibilityMs, signal),
      );
      if (result.kind === 'changed') {
        this.#receipt = result.receipt;
        nextMs = this.#visibilityMs / 2;
      }
    } catch (thrown) {
      nextMs = Math.max(minRetryMs, delayMs / 2);
      const fields = { category: 'Host.Triggers.Queue', queue: client.name, messageId: this.#receipt.id };
      log.write('warning', 'A queue message could not be kept invisible', { ...fields, error: messageOf(thrown) });
    }
    if (this.#state.kind === 'renewing' && nextMs !== undefined) this.#state = this.#waiting(nextMs);
  }
}
