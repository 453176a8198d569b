import type { TextSink } from '@switchyard/telemetry';

/** What is gathered goes out at the latest with so many characters. */
const maxCharacters = 65_536;

export interface GatheredOutputDeps {
  /** Where the text goes: a process's stdout. */
  readonly target: TextSink & { readonly isTTY?: boolean };
  /** Runs a callback in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * A console that writes once per turn of the event loop, because each write to a pipe or a file holds the process up for a
 * system call, and a busy app has thousands of lines per second.
 *
 * Ownership: the process owns it, and flushes it when it ends.
 *
 * I1 Text goes out whole, once and in order, in the turn after it was written or before.
 * I2 It never keeps more than `maxCharacters` and one text.
 */
export class GatheredOutput implements TextSink {
  readonly #deps: GatheredOutputDeps;
  #text = '';

  constructor(deps: GatheredOutputDeps) {
    this.#deps = deps;
  }

  get isTTY(): boolean {
    return this.#deps.target.isTTY === true;
  }

  write(text: string): void {
    if (this.#text === '') this.#deps.nextTurn(() => this.flush());
    this.#text += text;
    if (this.#text.length >= maxCharacters) this.flush();
  }

  /** Writes what was gathered now. */
  flush(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#deps.target.write(text);
  }
}
