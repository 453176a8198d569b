/**
 * The patterns that `main` of package.json may hold: `*`, `?`, `[a-z]`, `**`, `{a,b}`, and groups as shells have them:
 * `@(a|b)` one of them, `?(a)` one or none, `*(a)` any number, `+(a)` at least one, `!(a)` anything else. Only folders
 * that can hold a match are read; names that begin with a dot, and node_modules below a `**`, match only when they are
 * written out.
 */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { workerErrors } from '../errors.ts';
import { workerLimits } from '../limits.ts';

const magic = /[*?[\]{}]|[!@+]\(/;

/** True when the text is a pattern and not just a path. */
export function isPattern(text: string): boolean {
  return magic.test(text);
}

/**
 * The files below `directory` that match, relative to it, with forward slashes, in order. Throws ENTRY_POINT_TOO_WIDE
 * when it would look at too many.
 */
export function matchFiles(directory: string, pattern: string, limit: number = workerLimits.entryPointFiles): string[] {
  const found = new Set<string>();
  const budget = { left: limit };
  for (const alternative of expandBraces(pattern)) {
    const segments = alternative.split('/').filter((segment) => segment !== '' && segment !== '.');
    walk(directory, '', segments, found, () => {
      budget.left -= 1;
      if (budget.left < 0) throw workerErrors.create('ENTRY_POINT_TOO_WIDE', { pattern, limit });
    });
  }
  return [...found].sort();
}

/** `a{b,c}d` becomes `abd` and `acd`; braces nest. A brace without its pair is an ordinary character. */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{');
  const close = open < 0 ? -1 : closingAt(pattern, open, '{', '}');
  if (close < 0) return [pattern];
  const head = pattern.slice(0, open);
  const tails = expandBraces(pattern.slice(close + 1));
  const options = splitOptions(pattern.slice(open + 1, close), '{,}');
  const middles =
    options.length > 1 ? options.flatMap(expandBraces) : expandBraces(options[0] ?? '').map((one) => `{${one}}`);
  if (middles.length * tails.length > workerLimits.braceAlternatives)
    throw workerErrors.create('ENTRY_POINT_TOO_WIDE', { pattern, limit: workerLimits.braceAlternatives });
  return middles.flatMap((middle) => tails.map((tail) => head + middle + tail));
}

function walk(root: string, folder: string, segments: readonly string[], found: Set<string>, visit: () => void): void {
  const [segment, ...rest] = segments;
  if (segment === undefined) return;
  if (segment === '**') {
    walk(root, folder, rest.length > 0 ? rest : ['*'], found, visit);
    for (const entry of read(root, folder)) {
      visit();
      // Links below `**` are not followed: they can lead round in circles.
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
        walk(root, toPath(folder, entry.name), segments, found, visit);
    }
    return;
  }
  if (!isPattern(segment)) {
    visit();
    step(root, toPath(folder, segment), rest, found, visit);
    return;
  }
  const matcher = toMatcher(segment);
  for (const entry of read(root, folder)) {
    visit();
    if (matcher.test(entry.name) && (segment.startsWith('.') || !entry.name.startsWith('.')))
      step(root, toPath(folder, entry.name), rest, found, visit);
  }
}

function step(root: string, path: string, rest: readonly string[], found: Set<string>, visit: () => void): void {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  if (rest.length === 0 && stats?.isFile()) found.add(path);
  else if (rest.length > 0 && stats?.isDirectory()) walk(root, path, rest, found, visit);
}

function toPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** A folder that is missing or closed to us holds no match. */
function read(root: string, folder: string): Dirent[] {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
}

function toMatcher(segment: string): RegExp {
  return new RegExp(`^${toSource(segment)}$`);
}

/** Read from the left; what follows is needed where a group says what may not stand there. */
function toSource(pattern: string): string {
  const character = pattern.charAt(0);
  if (character === '') return '';
  const group = groupAt(pattern);
  if (group !== undefined) return groupSource(group.kind, group.options, toSource(pattern.slice(group.length)));
  const set = /^\[.[^\]]*\]/.exec(pattern)?.[0];
  if (set !== undefined) return setSource(set) + toSource(pattern.slice(set.length));
  return characterSource(character) + toSource(pattern.slice(1));
}

function characterSource(character: string): string {
  if (character === '*') return '[^/]*';
  return character === '?' ? '[^/]' : character.replace(/[.+^${}()|\\[\]]/, '\\$&');
}

function setSource(set: string): string {
  return `[${set.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`;
}

interface Group {
  /** One of `@?*+!`. */
  readonly kind: string;
  readonly options: readonly string[];
  /** Of its text, with both parentheses. */
  readonly length: number;
}

/** The group at the beginning; one without its end is ordinary characters. */
function groupAt(pattern: string): Group | undefined {
  if (!/^[@?*+!]\(/.test(pattern)) return undefined;
  const close = closingAt(pattern, 1, '(', ')');
  if (close < 0) return undefined;
  return { kind: pattern.charAt(0), options: splitOptions(pattern.slice(2, close), '(|)'), length: close + 1 };
}

function groupSource(kind: string, options: readonly string[], rest: string): string {
  const group = `(?:${options.map(toSource).join('|')})`;
  if (kind === '!') return `(?!${group}${rest}$)[^/]*${rest}`;
  return `${group}${kind === '@' ? '' : kind}${rest}`;
}

function closingAt(pattern: string, open: number, opening: string, closing: string): number {
  let depth = 0;
  for (let index = open; index < pattern.length; index += 1) {
    if (pattern[index] === opening) depth += 1;
    else if (pattern[index] === closing) {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return -1;
}

/** Parts the text at its separators, but not within pairs. `marks` are what opens a pair, the separator, and what closes one. */
function splitOptions(text: string, marks: '{,}' | '(|)'): string[] {
  const options: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === marks[0]) depth += 1;
    else if (text[index] === marks[2]) depth -= 1;
    else if (text[index] === marks[1] && depth === 0) {
      options.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...options, text.slice(start)];
}
