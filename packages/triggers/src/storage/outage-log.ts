/**
 * Writes of an outage once when it begins and once when it is over, however often it is met in between.
 *
 * I1 Between a warning and its end there is no other line.
 */
import { type Log, type LogFields, messageOf } from '@switchyard/kernel';

/** The words for the two lines. */
export interface OutageWords {
  readonly began: string;
  readonly ended: string;
  readonly fields: LogFields;
}

export class OutageLog {
  readonly #log: Log;
  readonly #words: OutageWords;
  #isDown = false;

  constructor(log: Log, words: OutageWords) {
    this.#log = log;
    this.#words = words;
  }

  /** Something went wrong. */
  failed(thrown: unknown): void {
    if (this.#isDown) return;
    this.#isDown = true;
    const { began, fields } = this.#words;
    this.#log.write('warning', began, { ...fields, error: messageOf(thrown) });
  }

  /** It went well. */
  succeeded(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    const { ended, fields } = this.#words;
    this.#log.write('information', ended, fields);
  }
}
