/**
 * Tells why the workers of an app do not start, without filling the log: the supply tries for as long as it takes.
 *
 * Ownership: one per worker pool.
 *
 * I1 A failure is told in full once; when the next one has the same reason, a line says so.
 * I2 After a worker has become ready, and after a failure of another kind, everything is told in full again.
 */
import type { Log, PlatformError } from '@switchyard/kernel';

export class StartFailures {
  readonly #log: Log;
  #last: string | undefined;
  #tries = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  report(error: PlatformError): void {
    const reason = reasonOf(error);
    const isKnown = reason === this.#last;
    this.#tries = isKnown ? this.#tries + 1 : 1;
    this.#last = reason;
    const fields = { category: 'Host.Startup', code: error.code };
    if (isKnown) this.#log.write('warning', sameReason, { ...fields, tries: this.#tries });
    else this.#log.write('error', error.message, fields);
  }

  forget(): void {
    this.#last = undefined;
  }
}

const sameReason = 'A worker of the app did not start, for the same reason as the one before.';

/** The failure without what differs from process to process: ids, times, process numbers. */
function reasonOf({ code, message }: PlatformError): string {
  return `${code} ${message.replace(/[0-9a-f]*\d[0-9a-f-]*/gi, '#')}`;
}
