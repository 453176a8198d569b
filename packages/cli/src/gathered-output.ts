import type { Clock } from '@switchyard/kernel';
import type { TextSink } from '@switchyard/telemetry';

/** What is gathered goes out at the latest with so many characters. */
const maxCharacters = 65_536;

/** Between two writes of a busy console, in milliseconds: nobody reads faster. */
const pauseMs = 10;

export interface GatheredOutputDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>;
  /** Where the text goes: a process's stdout. */
  readonly target: TextSink & { readonly isTTY?: boolean };
  /** Runs a callback in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * A console that writes a hundred times per second at most, because each write to a pipe or a file holds the process up for a
 * system call, and a busy app has thousands of lines per second.
 *
 * Ownership: the process owns it, and flushes it when it ends.
 *
 * I1 Text goes out whole, once and in order: in the next turn of the event loop, or `pauseMs` after the write before.
 * I2 It never keeps more than `maxCharacters` and one text.
 */
export class GatheredOutput implements TextSink {
  readonly #deps: GatheredOutputDeps;
  #text = '';
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(deps: GatheredOutputDeps) {
    this.#deps = deps;
  }

  get isTTY(): boolean {
    return this.#deps.target.isTTY === true;
  }

  write(text: string): void {
    if (this.#text === '') this.#schedule();
    this.#text += text;
    if (this.#text.length >= maxCharacters) this.flush();
  }

  /** Writes what was gathered now. */
  flush(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    this.#writtenMs = this.#deps.clock.monotonic();
    this.#deps.target.write(text);
  }

  #schedule(): void {
    const { clock, nextTurn } = this.#deps;
    const waitMs = this.#writtenMs + pauseMs - clock.monotonic();
    const flush = (): void => this.flush();
    if (waitMs > 0) clock.schedule(waitMs, flush);
    else nextTurn(flush);
  }
}
