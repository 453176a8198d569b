/**
 * The last lines of each app, and whoever follows them.
 *
 * Ownership: the composition root owns it; every line of the platform goes through `log`.
 *
 * I1 An app's buffer holds its last `maxLines` lines, oldest first; a forgotten app's is gone.
 * I2 A follower gets every line of its app from its beginning on, once, in order.
 * I3 A line without an app goes to nobody but the console, and a follower that throws harms nobody.
 */
import type { Log, LogFields, LogRecord } from '@switchyard/kernel';
import { mergeFields, type RecordFilter } from '@switchyard/telemetry';

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

/** A line as it is kept: with the fields of its log, which most lines share, and its own ones, so that it takes little room. */
interface KeptLine extends Omit<AppLogLine, 'fields'> {
  readonly bound: LogFields | undefined;
  readonly own: LogFields | undefined;
}

interface Buffer {
  /** The line of a sequence number stands at its remainder by `maxLines`. */
  readonly lines: KeptLine[];
  readonly followers: Set<LineFollower>;
  next: number;
}

export class AppLogs {
  readonly #now: () => number;
  readonly #options: AppLogsOptions;
  readonly #buffers = new Map<string, Buffer>();

  constructor(clock: { readonly now: () => number }, options: AppLogsOptions) {
    this.#now = () => clock.now();
    this.#options = options;
  }

  /** A log whose lines are kept here and go on to `next`, with all their fields. */
  log(next: Log, bound?: LogFields): Log {
    return {
      write: (level, message, own) => {
        const fields = mergeFields(bound, own);
        next.write(level, message, fields);
        this.#keep({ level, message, bound, own }, fields);
      },
      child: (fields) => this.log(next, mergeFields(bound, fields)),
    };
  }

  /** The last `count` lines of an app, oldest first. */
  tail(applicationId: string, count: number): readonly AppLogLine[] {
    const buffer = this.#buffers.get(applicationId);
    if (buffer === undefined) return [];
    const { lines, next } = buffer;
    const tail: AppLogLine[] = [];
    for (let sequence = Math.max(1, next - Math.min(count, lines.length)); sequence < next; sequence += 1) {
      const line = lines[sequence % this.#options.maxLines];
      if (line !== undefined) tail.push(toAppLogLine(line));
    }
    return tail;
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

  #keep({ level, message, bound, own }: Omit<KeptLine, 'timeMs' | 'sequence'>, fields: LogFields): void {
    const { applicationId } = fields;
    const { maxLines, isWanted } = this.#options;
    if (typeof applicationId !== 'string' || !isWanted(level, fields)) return;
    const buffer = this.#bufferOf(applicationId);
    const { next: sequence, followers } = buffer;
    const kept: KeptLine = { timeMs: this.#now(), level, message, bound, own, sequence };
    buffer.next += 1;
    buffer.lines[sequence % maxLines] = kept;
    if (followers.size === 0) return;
    const told = toAppLogLine(kept);
    for (const follower of [...followers]) tell(follower, told);
  }

  #bufferOf(applicationId: string): Buffer {
    const known = this.#buffers.get(applicationId);
    if (known !== undefined) return known;
    const buffer: Buffer = { lines: [], followers: new Set(), next: 1 };
    this.#buffers.set(applicationId, buffer);
    return buffer;
  }
}

function toAppLogLine({ timeMs, level, message, bound, own, sequence }: KeptLine): AppLogLine {
  return { timeMs, level, message, fields: mergeFields(bound, own), sequence };
}

function tell(follower: LineFollower, line: AppLogLine): void {
  try {
    follower(line);
  } catch {
    // The connection of a follower that fails ends by itself; a line about it would come back here.
  }
}
