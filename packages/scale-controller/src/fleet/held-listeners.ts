/**
 * What a Runtime of another process may listen for: the other end of `ListenerLeases`.
 *
 * Ownership: the process of the Runtime. It reports, and adopts what the installation answers.
 *
 * I1 A grant counts until its time has run out, counted from before the report that was answered was sent.
 * I2 An answer that is older than the one that was adopted changes nothing.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import type { ListenerAnswer, ListenerGrant } from './listener-leases.ts';

export class HeldListeners {
  readonly #clock: Clock;
  readonly #observers = new Set<(applicationId: string) => void>();
  #grants = new Map<string, ListenerGrant>();
  #adopted = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  mayListen(applicationId: string, functionName: string): boolean {
    return this.#grants.has(nameOf(applicationId, functionName));
  }

  watch(observer: (applicationId: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** The number of the answer that was adopted last; 0 for none. To be reported. */
  get adopted(): number {
    return this.#adopted;
  }

  /** Adopts the answer to a report that was sent at `sentMs` of the monotonic clock. */
  adopt({ grants, sequence }: ListenerAnswer, sentMs: number, ttlMs: number): void {
    if (sequence <= this.#adopted) return;
    this.#adopted = sequence;
    this.#timer?.cancel();
    const leftMs = sentMs + ttlMs - this.#clock.monotonic();
    if (leftMs <= 0) this.#replace([]);
    else {
      this.#replace(grants);
      this.#timer = this.#clock.schedule(leftMs, () => this.#replace([]));
    }
  }

  /** Nothing may listen any more; answers are numbered anew. */
  close(): void {
    this.#timer?.cancel();
    this.#adopted = 0;
    this.#replace([]);
  }

  #replace(grants: readonly ListenerGrant[]): void {
    const before = this.#grants;
    this.#grants = new Map(grants.map((grant) => [nameOf(grant.applicationId, grant.functionName), grant]));
    const changed = new Set<string>();
    for (const [name, { applicationId }] of before) if (!this.#grants.has(name)) changed.add(applicationId);
    for (const [name, { applicationId }] of this.#grants) if (!before.has(name)) changed.add(applicationId);
    for (const applicationId of changed) for (const observer of [...this.#observers]) observer(applicationId);
  }
}

const nameOf = (applicationId: string, functionName: string): string => `${applicationId}\n${functionName}`;
