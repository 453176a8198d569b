/**
 * What was asked of the platform and what became of it. An id names its app: `<applicationId>/<number>`.
 *
 * Ownership: the world owns it; the load, the workers and the answers write into it.
 */
import type { Delivery } from '@switchyard/testkit';
import type { SimulatedAnswer } from './simulated-request.ts';

/** Statuses with which a Runtime may refuse or fail a request. */
const namedErrors: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

export class SimulatedLedger {
  readonly violations: string[] = [];
  readonly #answers = new Map<string, string[]>();
  readonly #messages = new Map<string, number>();

  get accepted(): number {
    return this.#answers.size + this.#messages.size;
  }

  /** Answers by what they were, for the seed's summary. */
  get answered(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const answers of this.#answers.values()) {
      for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    return counts;
  }

  requestSent(id: string): void {
    this.#answers.set(id, []);
  }

  messagePut(id: string): void {
    this.#messages.set(id, 0);
  }

  /** A worker of `applicationId` runs the function for the request or message. */
  ran(id: string, applicationId: string): void {
    const isKnown = this.#answers.has(id) || this.#messages.has(id);
    if (!isKnown) this.violations.push(`a worker of ${applicationId} ran ${id}, which nobody sent`);
    if (!id.startsWith(`${applicationId}/`)) this.violations.push(`${id} ran on a worker of ${applicationId}`);
    const processed = this.#messages.get(id);
    if (processed !== undefined) this.#messages.set(id, processed + 1);
  }

  requestAnswered(id: string, answer: SimulatedAnswer): void {
    if (answer.status === 200 && answer.body !== id) this.violations.push(`${id} was answered with '${answer.body}'`);
    else if (answer.status !== 200 && !namedErrors.has(answer.status)) {
      this.violations.push(`${id} was answered ${answer.status}, which is no named error: '${answer.body}'`);
    }
    this.#answers.get(id)?.push(String(answer.status));
  }

  /** The Runtime that had the request died: its caller saw the connection break. */
  connectionBroke(id: string): void {
    this.#answers.get(id)?.push('connection broke');
  }

  settling({ messageId }: Delivery, succeeded: boolean): void {
    if (succeeded && this.#messages.get(messageId) === 0) {
      this.violations.push(`${messageId} succeeded, and no worker ever ran it`);
    }
  }

  /** What is wrong once everything has settled. */
  check(hasCompleted: (messageId: string) => boolean): readonly string[] {
    const found = [...this.violations];
    for (const [id, answers] of this.#answers) {
      if (answers.length === 0) found.push(`${id} was never answered`);
      if (answers.length > 1) found.push(`${id} was answered ${answers.length} times: ${answers.join(', ')}`);
    }
    for (const [id, processed] of this.#messages) {
      if (processed === 0) found.push(`${id} was never processed`);
      if (!hasCompleted(id)) found.push(`${id} was never completed`);
    }
    return found;
  }
}
