/**
 * A credential that somebody else gives: fetched when it is wanted and none is at hand.
 *
 * I1 One fetch serves all that wait for it.
 * I2 A credential serves until it expires, or until it is forgotten since the cluster did not take it.
 */
import type { Clock } from '@switchyard/kernel';

export interface Credential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Milliseconds since the epoch; infinite for one that does not expire. */
  readonly expiresAtMs: number;
}

export class KeptCredential {
  readonly #clock: Clock;
  readonly #fetch: () => Promise<Credential>;
  #kept: Credential | undefined;
  #fetching: Promise<Credential> | undefined;

  constructor(clock: Clock, fetch: () => Promise<Credential>, first?: Credential) {
    this.#clock = clock;
    this.#fetch = fetch;
    this.#kept = first;
  }

  /** Rejects as the fetch does; the next call fetches again. */
  async credential(): Promise<Credential> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.now() < kept.expiresAtMs) return kept;
    this.#fetching ??= this.#fetchAnew().finally(() => {
      this.#fetching = undefined;
    });
    return await this.#fetching;
  }

  forget(): void {
    this.#kept = undefined;
  }

  async #fetchAnew(): Promise<Credential> {
    const credential = await this.#fetch();
    this.#kept = credential;
    return credential;
  }
}
