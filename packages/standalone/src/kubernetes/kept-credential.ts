/**
 * A credential that somebody else gives: fetched when it is wanted and none is at hand.
 *
 * I1 One fetch serves all that wait for it.
 * I2 A credential serves until it expires, or until it is forgotten since the cluster did not take it.
 * I3 Who asks often does not fetch as often: a fetch that failed is not repeated at once, and what is fetched is not forgotten at once.
 */
import type { Clock } from '@switchyard/kernel';

/** So long a failure is told again, and one credential is forgotten. */
const pauseMs = 5_000;

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
  #failure: { readonly thrown: unknown; readonly untilMs: number } | undefined;
  #forgottenUntilMs = 0;

  constructor(clock: Clock, fetch: () => Promise<Credential>, first?: Credential) {
    this.#clock = clock;
    this.#fetch = fetch;
    this.#kept = first;
  }

  /** Rejects as the fetch does. */
  async credential(): Promise<Credential> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.now() < kept.expiresAtMs) return kept;
    if (this.#failure !== undefined && this.#clock.monotonic() < this.#failure.untilMs) throw this.#failure.thrown;
    this.#fetching ??= this.#fetchAnew().finally(() => {
      this.#fetching = undefined;
    });
    return await this.#fetching;
  }

  /** False when the next one would be the same. */
  forget(): boolean {
    if (this.#clock.monotonic() < this.#forgottenUntilMs) return false;
    this.#forgottenUntilMs = this.#clock.monotonic() + pauseMs;
    this.#kept = undefined;
    return true;
  }

  async #fetchAnew(): Promise<Credential> {
    try {
      this.#kept = await this.#fetch();
      return this.#kept;
    } catch (thrown) {
      this.#failure = { thrown, untilMs: this.#clock.monotonic() + pauseMs };
      throw thrown;
    }
  }
}
