/**
 * One bulkhead per account: how much of the broker's loading an account can take up at once.
 *
 * I1 No more than `concurrent` pieces of work of one account run at once, and no more than `queued` wait.
 * I2 What one account has used up is still free for the others.
 */
import { type BulkheadPolicy, BulkheadRejectedError, bulkhead } from 'cockatiel';
import { capabilityErrors } from '../errors.ts';

export interface BulkheadOptions {
  readonly concurrent: number;
  readonly queued: number;
}

export class Bulkheads {
  readonly #options: BulkheadOptions;
  readonly #policies = new Map<string, { readonly policy: BulkheadPolicy; users: number }>();

  constructor(options: BulkheadOptions) {
    this.#options = options;
  }

  /** Runs `work` when it is its turn. Fails with RESOURCE_EXHAUSTED when too much waits already. */
  async run<T>(account: string, work: () => Promise<T>): Promise<T> {
    const { concurrent, queued } = this.#options;
    const entry = this.#policies.get(account) ?? { policy: bulkhead(concurrent, queued), users: 0 };
    this.#policies.set(account, entry);
    entry.users += 1;
    try {
      return await entry.policy.execute(work);
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error;
      const details = { what: `Account '${account}'`, limit: `${concurrent} requests at once and ${queued} waiting` };
      throw capabilityErrors.create(
        'RESOURCE_EXHAUSTED',
        { ...details, reason: 'it asks for too much at once' },
        error,
      );
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#policies.delete(account);
    }
  }
}
