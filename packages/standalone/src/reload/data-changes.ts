/**
 * Sorts out changes of data files that are none: an app may write files in its own folder whenever it starts, and would
 * be reloaded for ever.
 *
 * Ownership: the app's loop. Code is never sorted out, so that saving a script always makes a new version.
 *
 * I1 A data file whose content is what it was at its last change is no change; its first change always is one.
 * I2 A data file that changes again and again, each time right after the time before, is told of once and ignored from
 *    then on.
 * I3 No more than `maxRemembered` files are remembered; the others count as changed.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@switchyard/kernel';

export interface DataChangesDeps {
  readonly clock: Clock;
  /** The content of a file of the app; undefined when there is none. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  readonly onNote: (text: string) => void;
}

interface Remembered {
  digest: string;
  changedAtMs: number;
  /** Changes in a row, each right after the one before. */
  repeats: number;
}

/** Loaded like code, but written by programs too. */
const dataFile = /\.json$/;

const maxRemembered = 1_000;

/** Nobody saves a file so often within so short a time. */
const maxRepeats = 10;
const repeatMs = 2_000;

export class DataChanges {
  readonly #deps: DataChangesDeps;
  readonly #remembered = new Map<string, Remembered>();

  constructor(deps: DataChangesDeps) {
    this.#deps = deps;
  }

  /** The paths that have really changed, in order. */
  async realOf(paths: readonly string[]): Promise<readonly string[]> {
    const verdicts = await Promise.all(paths.map((path) => !dataFile.test(path) || this.#isReal(path)));
    return paths.filter((_path, index) => verdicts[index]);
  }

  async #isReal(path: string): Promise<boolean> {
    const content = await this.#deps.read(path);
    const digest = content === undefined ? '' : createHash('sha256').update(content).digest('base64');
    const nowMs = this.#deps.clock.monotonic();
    const known = this.#remembered.get(path);
    if (known === undefined) {
      if (this.#remembered.size < maxRemembered) {
        this.#remembered.set(path, { digest, changedAtMs: nowMs, repeats: 0 });
      }
      return true;
    }
    if (known.digest === digest || known.repeats >= maxRepeats) return false;
    known.repeats = nowMs - known.changedAtMs < repeatMs ? known.repeats + 1 : 0;
    known.digest = digest;
    known.changedAtMs = nowMs;
    if (known.repeats === maxRepeats) {
      this.#deps.onNote(`${path} changes again and again, so its changes are ignored from now on.`);
    }
    return true;
  }
}
