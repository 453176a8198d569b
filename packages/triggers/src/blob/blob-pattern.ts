/**
 * The path of a blob trigger: a container, and a pattern with captures such as `{name}.{ext}`.
 *
 * A capture takes as much as it can, also slashes, and also nothing (as `.*` of the official host does). The pattern is
 * matched from its end to its beginning, which finds the same captures in one pass: names of blobs come from anywhere, and
 * a regular expression with several `.*` would let somebody keep us busy with a name.
 */
import { type BindingMetadata, parseBindingExpression } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { containerProblem, nameProblem } from './blob-path.ts';

/** A parsed path of a trigger. */
export interface BlobPattern {
  readonly container: string;
  /** The pattern as written, its settings filled in. */
  readonly text: string;
  /** What the name of a blob in the container captures; undefined when it does not match. */
  match(blobName: string): ReadonlyMap<string, string> | undefined;
}

/** Literal, capture, literal, capture, ..., literal; literals may be empty. */
interface Pieces {
  readonly literals: readonly string[];
  readonly names: readonly string[];
}

const tokenPattern = /(\{\{|\}\})|\{([^{}]*)\}|([^{}]+)/gu;

/** A capture's name; a format after a colon changes nothing, as in the official host. */
const namePattern = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Pc}\p{Mn}\p{Mc}\p{Cf}]*$/u;

/** Reads the "path" of a trigger. Throws BLOB_PATH_MISSING, BLOB_PATH_INVALID, or what an expression throws. */
export function parseBlobPattern(binding: BindingMetadata, scope: BindingScope): BlobPattern {
  const where = `"path" of function '${scope.function.name}'`;
  const { text } = parseBindingExpression(readBlobPathText(binding, scope), where, scope.settings);
  const fail = (reason: string): Error => pathInvalid(binding, scope, text, reason);
  const slash = text.indexOf('/');
  const container = slash < 0 ? text : text.slice(0, slash);
  const problem = container.includes('{') ? 'the container must be named; only the blob may vary' : undefined;
  const reason = problem ?? containerProblem(container);
  if (reason !== undefined) throw fail(reason);
  if (slash < 0) return { container, text, match: () => new Map() };
  if (slash === text.length - 1) throw fail('nothing follows the slash; leave it out to take every blob');
  const pieces = toPieces(text.slice(slash + 1), fail);
  if (pieces.names.length === 0) {
    const nameReason = nameProblem(pieces.literals.join(''));
    if (nameReason !== undefined) throw fail(nameReason);
  }
  return { container, text, match: (name) => matchPieces(pieces, name) };
}

/** The text of "path". Throws BLOB_PATH_MISSING. */
export function readBlobPathText(binding: BindingMetadata, scope: BindingScope): string {
  // Workers that index functions themselves may write the name of the attribute's property.
  const value = binding.raw.path ?? binding.raw.blobPath;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  const details = { function: scope.function.name, binding: binding.name, value: JSON.stringify(value) ?? 'missing' };
  throw triggerErrors.create('BLOB_PATH_MISSING', details);
}

export function pathInvalid(binding: BindingMetadata, scope: BindingScope, value: string, reason: string): Error {
  const details = { function: scope.function.name, binding: binding.name, value, reason };
  return triggerErrors.create('BLOB_PATH_INVALID', details);
}

function toPieces(text: string, fail: (reason: string) => Error): Pieces {
  const literals = [''];
  const names: string[] = [];
  for (const [, escaped, inside, literal] of text.matchAll(tokenPattern)) {
    if (inside === undefined) {
      literals.push(`${literals.pop() ?? ''}${literal ?? escaped?.slice(1) ?? ''}`);
      continue;
    }
    const name = inside.split(':', 1)[0] ?? '';
    if (!namePattern.test(name)) throw fail(`'{${inside}}' captures nothing; a capture is a plain name such as {name}`);
    names.push(name);
    literals.push('');
  }
  return { literals, names };
}

/** Puts each literal, from the last to the first, as far right as it goes: so each capture, from the first on, is longest. */
function matchPieces({ literals, names }: Pieces, text: string): ReadonlyMap<string, string> | undefined {
  const [first = ''] = literals;
  if (names.length === 0) return text === first ? new Map() : undefined;
  const last = literals.at(-1) ?? '';
  if (!text.endsWith(last) || !text.startsWith(first)) return undefined;
  const captures: [string, string][] = [];
  let end = text.length - last.length;
  for (let index = names.length - 1; index >= 0; index -= 1) {
    const literal = literals[index] ?? '';
    const start = index === 0 ? 0 : lastIndexBefore(text, literal, end);
    if (start < 0 || start + literal.length > end) return undefined;
    captures.unshift([names[index] ?? '', text.slice(start + literal.length, end)]);
    end = start;
  }
  return new Map(captures);
}

/** Where the literal stands last before `end`; -1 when it does not. */
function lastIndexBefore(text: string, literal: string, end: number): number {
  return end < literal.length ? -1 : text.lastIndexOf(literal, end - literal.length);
}
