/**
 * The last lines of each app, and whoever follows them.
 *
 * Ownership: the composition root owns it; every line of the platform goes through `log`.
 *
 * I1 An app's buffer holds its last `maxLines` lines, oldest first; a forgotten app's is gone.
 * I2 A follower gets every line of its app from its beginning on, once, in order.
 * I3 A line without an app goes to nobody but the console, and a follower that throws harms nobody.
 */
import type { Log, LogFields, LogLevel, LogRecord } from '@switchyard/kernel';
import type { RecordFilter } from '@switchyard/telemetry';

/** One line of an app's log. */
export interface AppLogLine extends LogRecord {
  /** Grows by one with every line of the app; what a follower has seen it can name. */
  readonly sequence: number;
}

export type LineFollower = (line: AppLogLine) => void;

export interface AppLogsOptions {
  /** Lines that each app keeps. */
  readonly maxLines: number;
  /** Which lines are kept. */
  readonly isWanted: RecordFilter;
}

interface Buffer {
  readonly lines: AppLogLine[];
  readonly followers: Set<LineFollower>;
  next: number;
}

/** A buffer may grow to so many times its size before its old lines are cut off in one go. */
const slack = 2;

export class AppLogs {
  readonly #now: () => number;
  readonly #options: AppLogsOptions;
  readonly #buffers = new Map<string, Buffer>();

  constructor(clock: { readonly now: () => number }, options: AppLogsOptions) {
    this.#now = () => clock.now();
    this.#options = options;
  }

  /** A log whose lines are kept here and go on to `next`. */
  log(next: Log, bound: LogFields = {}): Log {
    return {
      write: (level, message, fields) => {
        next.write(level, message, fields);
        this.#keep(level, message, fields === undefined ? bound : { ...bound, ...fields });
      },
      child: (fields) => this.log(next.child(fields), { ...bound, ...fields }),
    };
  }

  /** The last `count` lines of an app, oldest first. */
  tail(applicationId: string, count: number): readonly AppLogLine[] {
    const lines = this.#buffers.get(applicationId)?.lines ?? [];
    const kept = Math.min(count, this.#options.maxLines, lines.length);
    return kept <= 0 ? [] : lines.slice(-kept);
  }

  /** Calls back for every line of the app from now on. Returns the unsubscriber. */
  follow(applicationId: string, follower: LineFollower): () => void {
    const { followers } = this.#bufferOf(applicationId);
    followers.add(follower);
    return () => followers.delete(follower);
  }

  /** The app is gone. */
  forget(applicationId: string): void {
    this.#buffers.delete(applicationId);
  }

  #keep(level: LogLevel, message: string, fields: LogFields): void {
    const { applicationId } = fields;
    const { maxLines, isWanted } = this.#options;
    if (typeof applicationId !== 'string' || !isWanted(level, fields)) return;
    const buffer = this.#bufferOf(applicationId);
    const line = { timeMs: this.#now(), level, message, fields, sequence: buffer.next };
    buffer.next += 1;
    buffer.lines.push(line);
    if (buffer.lines.length >= slack * maxLines) buffer.lines.splice(0, buffer.lines.length - maxLines);
    for (const follower of [...buffer.followers]) tell(follower, line);
  }

  #bufferOf(applicationId: string): Buffer {
    const known = this.#buffers.get(applicationId);
    if (known !== undefined) return known;
    const buffer: Buffer = { lines: [], followers: new Set(), next: 1 };
    this.#buffers.set(applicationId, buffer);
    return buffer;
  }
}

function tell(follower: LineFollower, line: AppLogLine): void {
  try {
    follower(line);
  } catch {
    // The connection of a follower that fails ends by itself; a line about it would come back here.
  }
}
