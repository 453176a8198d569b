import { describeValue, isJsonObject, type JsonObject, parseTimeSpan, readKey } from '@switchyard/model';
import { parseDotnetExpression } from './dotnet-expression.ts';
import { catalogueErrors } from './errors.ts';

/**
 * Reads one section of a worker.config.json, key by key. A key that is missing or null is undefined; one of the wrong
 * kind throws WORKER_CONFIG_INVALID with the file, the key's whole path, its value and what was expected.
 */
export class ConfigReader {
  readonly #file: string;
  readonly #object: JsonObject;
  readonly #path: string;

  constructor(file: string, object: JsonObject, path: string) {
    this.#file = file;
    this.#object = object;
    this.#path = path;
  }

  text(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'string') return this.#clean(key, value);
    return this.fail(key, value, 'a text');
  }

  /** A list of texts; one text alone is a list of one. */
  texts(key: string): readonly string[] | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const list = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(list)) return this.fail(key, value, 'a list of texts');
    return list.map((item: unknown, index) =>
      typeof item === 'string' ? this.#clean(key, item) : this.fail(`${key}[${index}]`, item, 'a text'),
    );
  }

  /** True or false, also as texts in any case. */
  flag(key: string): boolean | undefined {
    const value = this.#value(key);
    const word = typeof value === 'string' ? value.trim().toLowerCase() : value;
    if (word === undefined || word === '') return undefined;
    if (word === true || word === 'true') return true;
    return word === false || word === 'false' ? false : this.fail(key, value, 'true or false');
  }

  /** A whole number from `minimum` on, also as a text. */
  count(key: string, minimum: number): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= minimum) return number;
    return this.fail(key, value, `a whole number from ${minimum} on`);
  }

  /** A duration, in milliseconds. */
  duration(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const durationMs = typeof value === 'string' ? parseTimeSpan(value) : undefined;
    if (durationMs !== undefined && durationMs >= 0) return durationMs;
    return this.fail(key, value, "a duration like '00:00:30'");
  }

  /** The text of a regular expression. */
  expression(key: string): string | undefined {
    const source = this.text(key);
    if (source === undefined || source === '') return undefined;
    const outcome = parseDotnetExpression(source);
    if (outcome.kind === 'parsed') return source;
    return this.fail(key, source, `a regular expression (${outcome.reason})`);
  }

  section(key: string): ConfigReader | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    return isJsonObject(value) ? this.#inside(key, value) : this.fail(key, value, 'an object');
  }

  /** A list of objects with at most `limit` members. */
  sections(key: string, limit: number): readonly ConfigReader[] {
    const value = this.#value(key);
    if (value === undefined) return [];
    if (!Array.isArray(value)) return this.fail(key, value, 'a list of objects');
    if (value.length > limit) return this.fail(key, `${value.length} members`, `a list of at most ${limit}`);
    return value.map((item: unknown, index) => {
      const path = `${key}[${index}]`;
      return isJsonObject(item) ? this.#inside(path, item) : this.fail(path, item, 'an object');
    });
  }

  /** Throws WORKER_CONFIG_INVALID for a key of this section. */
  fail(key: string, value: unknown, expected: string): never {
    const shown = value === undefined ? 'missing' : describeValue(value);
    const path = this.#path === '' ? key : `${this.#path}.${key}`;
    throw catalogueErrors.create('WORKER_CONFIG_INVALID', { file: this.#file, key: path, value: shown, expected });
  }

  #value(key: string): unknown {
    return readKey(this.#object, key) ?? undefined;
  }

  /** No path, argument or name can hold a null character, and no process can be started with one. */
  #clean<T extends string | undefined>(key: string, value: T): T {
    return value?.includes('\0') ? this.fail(key, value, 'a text without null characters') : value;
  }

  #inside(key: string, object: JsonObject): ConfigReader {
    return new ConfigReader(this.#file, object, this.#path === '' ? key : `${this.#path}.${key}`);
  }
}
