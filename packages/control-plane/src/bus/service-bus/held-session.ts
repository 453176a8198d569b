import type { ServiceBusSessionReceiver } from '@azure/service-bus';
import type { Clock, Timer } from '@switchyard/kernel';

/** A session that one event holds: until it is settled, or until its retry is due. */
export class HeldSession {
  readonly #clock: Clock;
  readonly #receiver: ServiceBusSessionReceiver;
  readonly #onReleased: () => void;
  #timer: Timer | undefined;
  #isReleased = false;

  constructor(clock: Clock, receiver: ServiceBusSessionReceiver, onReleased: () => void) {
    this.#clock = clock;
    this.#receiver = receiver;
    this.#onReleased = onReleased;
  }

  renew(): Promise<Date> {
    return this.#receiver.renewSessionLock();
  }

  /** Renews the session until `dueMs`, then runs `then` and lets go. If the lock is lost before, the event comes sooner. */
  holdUntil(dueMs: number, then: () => Promise<void>): void {
    if (this.#isReleased) return;
    const nowMs = this.#clock.now();
    if (nowMs >= dueMs) {
      void then()
        .catch(() => undefined)
        .then(() => this.release());
      return;
    }
    const lockLeftMs = this.#receiver.sessionLockedUntilUtc.getTime() - nowMs;
    const waitMs = Math.min(dueMs - nowMs, Math.max(minimumRenewalMs, lockLeftMs / 2));
    this.#timer = this.#clock.schedule(waitMs, () => {
      if (this.#clock.now() >= dueMs) this.holdUntil(dueMs, then);
      else
        void this.renew()
          .then(() => this.holdUntil(dueMs, then))
          .catch(() => this.release());
    });
  }

  /** Lets the next event of the key go on. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#timer?.cancel();
    this.#onReleased();
    await this.#receiver.close().catch(() => undefined);
  }
}

/** Renewals come no closer than this. */
const minimumRenewalMs = 100;
