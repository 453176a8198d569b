/**
 * Cuts the bytes of a console stream into lines.
 *
 * Ownership: one reader pushes chunks as they come and ends once. Nothing is kept but the line that is still open.
 *
 * I1 Whatever the chunks, the lines are the text between the line ends (`\n` or `\r\n`), in order, nothing lost.
 * I2 No line is longer than `maxLength` characters; a longer one goes out in pieces.
 * I3 The end sends out a last line without a line end, once.
 */
export class ConsoleLines {
  readonly #decoder = new TextDecoder();
  readonly #maxLength: number;
  readonly #onLine: (line: string) => void;
  #open = '';
  #ended = false;

  constructor(maxLength: number, onLine: (line: string) => void) {
    this.#maxLength = maxLength;
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    if (!this.#ended) this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): void {
    if (this.#ended) return;
    this.#take(this.#decoder.decode());
    this.#ended = true;
    if (this.#open !== '') this.#emit(this.#open);
    this.#open = '';
  }

  #take(text: string): void {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#emit(withoutCarriageReturn(this.#open + line));
      this.#open = '';
    }
    this.#open += rest;
    // One more character than fits may stand open: it can be the carriage return of a line end.
    while (this.#open.length > this.#maxLength + 1) this.#open = this.#emitPiece(this.#open);
  }

  #emit(line: string): void {
    let rest = line;
    while (rest.length > this.#maxLength) rest = this.#emitPiece(rest);
    this.#onLine(rest);
  }

  /** Sends the first piece and returns the rest. A pair of surrogates stays together. */
  #emitPiece(text: string): string {
    const last = text.charCodeAt(this.#maxLength - 1);
    const length = last >= 0xd800 && last <= 0xdbff && this.#maxLength > 1 ? this.#maxLength - 1 : this.#maxLength;
    this.#onLine(text.slice(0, length));
    return text.slice(length);
  }
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
