/**
 * The patterns that `main` of package.json may hold: `*`, `?`, `[a-z]`, `**`, `{a,b}`. Only folders that can hold a
 * match are read; names that begin with a dot, and node_modules below a `**`, match only when they are written out.
 */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { workerErrors } from '../errors.ts';
import { workerLimits } from '../limits.ts';

const magic = /[*?[\]{}]/;

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
  const close = open < 0 ? -1 : closingBrace(pattern, open);
  if (close < 0) return [pattern];
  const head = pattern.slice(0, open);
  const tails = expandBraces(pattern.slice(close + 1));
  const options = splitOptions(pattern.slice(open + 1, close));
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
  let source = '';
  for (let index = 0; index < segment.length; index += 1) {
    const character = segment.charAt(index);
    const end = character === '[' ? segment.indexOf(']', index + 2) : -1;
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (end > 0) {
      const set = segment
        .slice(index + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\');
      source += `[${set}]`;
      index = end;
    } else source += character.replace(/[.+^${}()|\\[\]]/g, '\\$&');
  }
  return new RegExp(`^${source}$`);
}

function closingBrace(pattern: string, open: number): number {
  let depth = 0;
  for (let index = open; index < pattern.length; index += 1) {
    if (pattern[index] === '{') depth += 1;
    else if (pattern[index] === '}') {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return -1;
}

function splitOptions(text: string): string[] {
  const options: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1;
    else if (text[index] === '}') depth -= 1;
    else if (text[index] === ',' && depth === 0) {
      options.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...options, text.slice(start)];
}
