/**
 * A section of a configuration file, read key by key. As .NET's configuration does, it finds keys in any case and takes
 * texts for numbers, truth values and durations. What is wrong is collected, so that a user sees all of it at once.
 */
import { describeValue, isJsonObject, type JsonObject } from './json-text.ts';
import { formatTimeSpan, parseTimeSpan } from './time-span.ts';

/** What reading a file found, beside its values. Each line names the path, the value and what is expected. */
export interface ConfigFindings {
  /** What makes the file unusable. */
  readonly problems: string[];
  /** What has no effect, or perhaps not the one that was meant. */
  readonly warnings: string[];
}

/** The limits of a number or duration, both included. */
export interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
}

export class ConfigSection {
  readonly path: string;
  readonly #values: ReadonlyMap<string, { readonly name: string; readonly value: unknown }>;
  readonly #findings: ConfigFindings;
  readonly #read = new Set<string>();

  /** `path` is empty for the root. */
  constructor(path: string, source: JsonObject, findings: ConfigFindings) {
    this.path = path;
    this.#findings = findings;
    this.#values = new Map(Object.entries(source).map(([name, value]) => [name.toLowerCase(), { name, value }]));
  }

  string(key: string, fallback: string): string {
    return this.optionalString(key) ?? fallback;
  }

  optionalString(key: string): string | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return this.#expect(key, value, 'a text');
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#take(key);
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    if (typeof value === 'string' && /^\s*(true|false)\s*$/i.test(value)) return value.trim().toLowerCase() === 'true';
    return this.#expect(key, value, 'true or false') ?? fallback;
  }

  integer(key: string, fallback: number, range: Range = {}): number {
    return this.optionalInteger(key, range) ?? fallback;
  }

  optionalInteger(key: string, range: Range = {}): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && isWithin(number, range)) return number;
    return this.#expect(key, value, `a whole number${describeRange(range, String)}`);
  }

  number(key: string, fallback: number, range: Range = {}): number {
    const value = this.#take(key);
    if (value === undefined) return fallback;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number) && isWithin(number, range)) return number;
    return this.#expect(key, value, `a number${describeRange(range, String)}`) ?? fallback;
  }

  /** A TimeSpan in milliseconds. A number alone counts days, which is rarely meant: it is taken with a warning. */
  timeSpanMs(key: string, fallback: number, range: Range = {}): number {
    return this.optionalTimeSpanMs(key, range) ?? fallback;
  }

  optionalTimeSpanMs(key: string, range: Range = {}): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const text = typeof value === 'number' ? String(value) : value;
    const durationMs = typeof text === 'string' ? parseTimeSpan(text) : undefined;
    if (durationMs === undefined || !isWithin(durationMs, range)) {
      return this.#expect(key, value, `a duration as "hh:mm:ss"${describeRange(range, formatTimeSpan)}`);
    }
    if (/^\s*-?\d+\s*$/.test(String(text)) && durationMs !== 0) {
      this.warn(key, `${describeValue(value)} means that many days; write a duration as "hh:mm:ss"`);
    }
    return durationMs;
  }

  /** One of a closed set of words, in any case. */
  choice<Word extends string>(key: string, words: readonly Word[], fallback: Word): Word {
    const value = this.#take(key);
    if (value === undefined) return fallback;
    const found = words.find((word) => typeof value === 'string' && word.toLowerCase() === value.toLowerCase());
    return found ?? this.#expect(key, value, `one of ${words.join(', ')}`) ?? fallback;
  }

  /** A list of texts, or undefined when there is none. Overrides from settings come as an object with number keys. */
  strings(key: string): readonly string[] | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const items = isJsonObject(value) ? Object.values(value) : value;
    if (Array.isArray(items) && items.every((item) => typeof item === 'string' || typeof item === 'number')) {
      return items.map(String);
    }
    return this.#expect(key, value, 'a list of texts');
  }

  /** A section below this one; empty when it is missing. */
  section(key: string): ConfigSection {
    return new ConfigSection(this.#pathOf(key), this.object(key) ?? {}, this.#findings);
  }

  /** True when the key has a value. Does not count as reading it. */
  has(key: string): boolean {
    return (this.#values.get(key.toLowerCase())?.value ?? undefined) !== undefined;
  }

  /** True when the key's value, written as a text, is `text`. Does not count as reading it. */
  is(key: string, text: string): boolean {
    return this.has(key) && String(this.#values.get(key.toLowerCase())?.value).trim() === text;
  }

  /** The JSON object as it stands, with its keys as they are spelled. */
  object(key: string): JsonObject | undefined {
    const value = this.#take(key);
    if (value === undefined || isJsonObject(value)) return value;
    return this.#expect(key, value, 'an object');
  }

  /** Every key with its value, the way it is spelled. */
  entries(): readonly (readonly [name: string, value: unknown])[] {
    return [...this.#values.values()].map(({ name, value }) => {
      this.#read.add(name.toLowerCase());
      return [name, value];
    });
  }

  /** Keys that are legal and that nobody reads here. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#read.add(key.toLowerCase());
  }

  /** To be called when everything was read: whatever is left is unknown. */
  warnAboutRest(hint: (name: string) => string = () => ''): void {
    for (const [key, { name }] of this.#values) {
      if (!this.#read.has(key)) this.warn(name, `is not known and has no effect${hint(key)}`);
    }
  }

  warn(key: string, text: string): void {
    this.#findings.warnings.push(`"${this.#pathOf(key)}" ${text}.`);
  }

  fail(key: string, text: string): void {
    this.#findings.problems.push(`"${this.#pathOf(key)}" ${text}.`);
  }

  /** Null counts as missing. */
  #take(key: string): unknown {
    this.#read.add(key.toLowerCase());
    return this.#values.get(key.toLowerCase())?.value ?? undefined;
  }

  #expect(key: string, value: unknown, expected: string): undefined {
    this.fail(key, `is ${describeValue(value)} and must be ${expected}`);
    return undefined;
  }

  #pathOf(key: string): string {
    const name = this.#values.get(key.toLowerCase())?.name ?? key;
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

function isWithin(value: number, { minimum = -Infinity, maximum = Infinity }: Range): boolean {
  return value >= minimum && value <= maximum;
}

function describeRange({ minimum, maximum }: Range, write: (value: number) => string): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${write(minimum)} to ${write(maximum)}`;
  if (minimum !== undefined) return ` of at least ${write(minimum)}`;
  return maximum === undefined ? '' : ` of at most ${write(maximum)}`;
}
