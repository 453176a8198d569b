/**
 * JSON as people write it into configuration files: comments, trailing commas, single quotes and a byte order mark are
 * tolerated, as the official host's reader does. Everything else is an error that names its line and column and never
 * quotes the text, which may hold secrets.
 */
import { modelErrors } from './errors.ts';

/** Deeper files are refused, as by the official host. */
const maxDepth = 64;

/** A JSON object as it came in. Its keys may be anything, `__proto__` included: read it with Object.hasOwn or Object.entries. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses the text of a file; `where` names it in errors. A key that stands twice has its last value.
 * @throws PlatformError JSON_INVALID
 */
export function parseJsonText(text: string, where: string): unknown {
  const reader = new JsonReader(text, where);
  const value = reader.readValue(0);
  reader.expectEnd();
  return value;
}

/** Tells a JSON object from arrays, null and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key, whatever its case: the exact spelling first, then the last one that differs in case only. */
export function readKey(object: JsonObject, key: string): unknown {
  if (Object.hasOwn(object, key)) return object[key];
  const wanted = key.toLowerCase();
  return Object.entries(object).findLast(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** How a value reads in an error: short, on one line. */
export function describeValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordPattern = /[A-Za-z]+/y;

class JsonReader {
  readonly #text: string;
  readonly #where: string;
  #at: number;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
    this.#at = text.startsWith('\uFEFF') ? 1 : 0;
  }

  readValue(depth: number): unknown {
    this.#skipBlanks();
    const character = this.#text[this.#at];
    if (character === undefined) return this.#fail('it ends where a value should stand');
    if (character === '{' || character === '[') {
      if (depth >= maxDepth) this.#fail(`it nests deeper than ${maxDepth} levels`);
      this.#at += 1;
      return character === '{' ? this.#readObject(depth + 1) : this.#readArray(depth + 1);
    }
    if (character === '"' || character === "'") return this.#readString(character);
    return this.#readScalar();
  }

  expectEnd(): void {
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail('something stands behind its end');
  }

  #readObject(depth: number): unknown {
    const entries: [string, unknown][] = [];
    while (!this.#takes('}')) {
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") this.#fail('a key in quotes or "}" should stand here');
      const key = this.#readString(quote as string);
      if (!this.#takes(':')) this.#fail('":" should stand here');
      entries.push([key, this.readValue(depth)]);
      if (!this.#takes(',') && !this.#sees('}')) this.#fail('"," or "}" should stand here');
    }
    return Object.fromEntries(entries);
  }

  #readArray(depth: number): unknown {
    const items: unknown[] = [];
    while (!this.#takes(']')) {
      items.push(this.readValue(depth));
      if (!this.#takes(',') && !this.#sees(']')) this.#fail('"," or "]" should stand here');
    }
    return items;
  }

  #readString(quote: string): string {
    let result = '';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === quote) {
        this.#at += 1;
        return result;
      }
      if (character === '\n') this.#fail('a string does not end on its line');
      result += character === '\\' ? this.#readEscape() : character;
    }
    return this.#fail('a string does not end');
  }

  #readEscape(): string {
    this.#at += 1;
    const character = this.#text[this.#at] ?? '';
    if (character === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('"\\u" needs four hexadecimal digits');
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    if ('"\'\\/'.includes(character) && character !== '') return character;
    const escaped = Object.hasOwn(escapes, character) ? escapes[character] : undefined;
    return escaped ?? this.#fail('this is no escape that JSON knows; write a backslash as "\\\\"');
  }

  #readScalar(): unknown {
    const number = this.#match(numberPattern);
    if (number !== undefined) return Number(number);
    const start = this.#at;
    const word = this.#match(wordPattern);
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    this.#at = start;
    return this.#fail('this is no value: texts need quotes');
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #sees(character: string): boolean {
    this.#skipBlanks();
    return this.#text[this.#at] === character;
  }

  #takes(character: string): boolean {
    const seen = this.#sees(character);
    if (seen) this.#at += 1;
    return seen;
  }

  #skipBlanks(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === ' ' || character === '\t' || character === '\n' || character === '\r') this.#at += 1;
      else if (this.#text.startsWith('//', this.#at)) this.#skipPast('\n', this.#text.length);
      else if (this.#text.startsWith('/*', this.#at)) this.#skipPast('*/', undefined);
      else return;
    }
  }

  #skipPast(end: string, otherwise: number | undefined): void {
    const found = this.#text.indexOf(end, this.#at + 2);
    if (found < 0 && otherwise === undefined) this.#fail('a comment does not end');
    this.#at = found < 0 ? (otherwise ?? 0) : found + end.length;
  }

  #fail(problem: string): never {
    const before = this.#text.slice(0, this.#at).split('\n');
    const line = before.length;
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw modelErrors.create('JSON_INVALID', { where: this.#where, line, column, problem });
  }
}
