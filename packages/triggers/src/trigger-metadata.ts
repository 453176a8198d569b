/**
 * The named values of an event, which workers and `{name}` expressions read. Names are compared without regard to case,
 * and the first spelling stays, as in the official host's dictionary.
 */
import type { TypedData } from '@switchyard/protocol';
import { jsonData, textData } from './typed-data.ts';

/** JSON text longer than this, in characters, contributes no properties: an expression has no use for a document. */
export const maxJsonChars = 1_048_576;

/** Collects `trigger_metadata`. */
export class TriggerMetadata {
  /** What goes to the worker. */
  readonly entries = new Map<string, TypedData>();
  readonly #spellings = new Map<string, string>();

  has(name: string): boolean {
    return this.#spellings.has(name.toLowerCase());
  }

  /** Adds a value, or replaces that of the same name. */
  set(name: string, value: TypedData): void {
    const key = name.toLowerCase();
    const spelling = this.#spellings.get(key);
    if (spelling === undefined) this.#spellings.set(key, name);
    this.entries.set(spelling ?? name, value);
  }

  /**
   * Adds the top-level properties of JSON text. Objects stay JSON, lists and nulls are left out, anything else becomes
   * text (true and false in the .NET spelling, a large number digit for digit). Other text adds nothing.
   */
  setJsonProperties(text: string): void {
    const properties = parseObject(text);
    if (properties === undefined) return;
    for (const [name, value] of Object.entries(properties)) {
      if (value === null || Array.isArray(value)) continue;
      this.set(name, typeof value === 'object' ? jsonData(JSON.stringify(value)) : textData(toText(value)));
    }
  }
}

/** The object in JSON text, or undefined. A whole number that a double cannot hold is the text of its digits. */
function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.length > maxJsonChars || !looksLikeObject(text)) return undefined;
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    const inexact = Object.keys(parsed).filter((name) => isInexact(parsed[name]));
    if (inexact.length === 0) return parsed;
    const exact = JSON.parse(text, keepDigits) as Record<string, unknown>;
    return { ...parsed, ...Object.fromEntries(inexact.map((name) => [name, exact[name]])) };
  } catch {
    return undefined;
  }
}

function looksLikeObject(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.startsWith('{') && trimmed.endsWith('}');
}

function isInexact(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** A reviver for whole numbers that a double cannot hold; they are rare, so the second pass that needs it is too. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return isInexact(value) ? (context?.source ?? value) : value;
}

function toText(value: unknown): string {
  if (value === true) return 'True';
  return value === false ? 'False' : String(value);
}
