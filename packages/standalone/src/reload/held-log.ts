/**
 * The log of a version that does not serve yet: its lines wait until it is known what becomes of it.
 *
 * Phases: Holding -> Open (what waited was shown, everything else goes through) or Holding again after a failed try.
 * Ownership: whoever starts the version.
 *
 * I1 Lines that were held come before later ones, in order.
 * I2 No more than `maxLines` are held; of more, the oldest are dropped and counted.
 * I3 What the host said of an app before it was ready is not said again for its next version.
 * I4 After a failed try only the app's own lines are shown, without those that the report of the failure has said.
 */
import type { Log, LogFields, LogLevel } from '@switchyard/kernel';

interface HeldLine {
  readonly target: Log;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields | undefined;
  /** With the fields of the log through which it came. */
  readonly allFields: LogFields;
}

/** What the host has said of an app, so that each version does not repeat it. */
export type ShownLines = Set<string>;

/** More than a host has to say of an app. */
const maxShown = 1_000;

const maxLines = 1_000;

/** Lines of the host itself, not of the app's console. */
const hostCategory = /^Host\.(?!Function\.)/;

export class HeldLog {
  readonly log: Log;
  readonly #shown: ShownLines;
  readonly #held: HeldLine[] = [];
  #dropped = 0;
  #isOpen = false;

  constructor(target: Log, shown: ShownLines) {
    this.#shown = shown;
    this.log = this.#bind(target, {});
  }

  /** Shows what was held; from now on every line goes through. */
  open(): void {
    this.#isOpen = true;
    this.#flush(() => true);
  }

  /** The version failed, and `report` was shown: shows the held lines that say something else, and holds on. */
  failed(report: string): void {
    this.#flush((line) => !isOfHost(line) && !isSaid(line.message, report));
  }

  /** Forgets what was held. */
  drop(): void {
    this.#held.length = 0;
    this.#dropped = 0;
  }

  #flush(wants: (line: HeldLine) => boolean): void {
    const lines = this.#held.splice(0);
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) {
      lines[0]?.target.write('warning', 'Lines that were logged before the app was ready were dropped.', { dropped });
    }
    for (const line of lines) if (wants(line)) this.#show(line);
  }

  #bind(target: Log, bound: LogFields): Log {
    return {
      write: (level, message, fields) =>
        this.#write({ target, level, message, fields, allFields: { ...bound, ...fields } }),
      child: (fields) => this.#bind(target.child(fields), { ...bound, ...fields }),
    };
  }

  #write(line: HeldLine): void {
    if (this.#isOpen) {
      line.target.write(line.level, line.message, line.fields);
      return;
    }
    this.#held.push(line);
    if (this.#held.length <= maxLines) return;
    this.#held.shift();
    this.#dropped += 1;
  }

  #show(line: HeldLine): void {
    const { target, level, message, fields, allFields } = line;
    if (isOfHost(line) && level !== 'debug' && level !== 'trace') {
      const key = JSON.stringify([level, message, { ...allFields, workerId: undefined }]);
      if (this.#shown.has(key)) return;
      if (this.#shown.size < maxShown) this.#shown.add(key);
    }
    target.write(level, message, fields);
  }
}

function isOfHost({ allFields: { category } }: HeldLine): boolean {
  return typeof category === 'string' && hostCategory.test(category);
}

/** True when every line of the message stands in the report already. */
function isSaid(message: string, report: string): boolean {
  return message.split('\n').every((line) => line.trim() === '' || report.includes(line.trim()));
}
