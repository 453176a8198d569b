/** The path of a request as routes see it (rules of the Kestrel server). */

/**
 * Decodes a path: valid UTF-8 escapes become characters, `%2F` stays as it is, what is no valid escape stays too, and `.` and
 * `..` segments are taken out. Undefined for a path with an escaped NUL, which no route may see.
 */
export function decodeRequestPath(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeEscapes(path) : path;
  if (decoded.includes('\0')) return undefined;
  return decoded.includes('/.') ? removeDotSegments(decoded) : decoded;
}

function decodeEscapes(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (run) => decodeRun(run));
}

/** Decodes as much of a run of escapes as is UTF-8, byte for byte from the left. */
function decodeRun(run: string): string {
  const escapes = run.match(/%../g) ?? [];
  let result = '';
  for (let at = 0; at < escapes.length; ) {
    const length = utf8Length(Number.parseInt((escapes[at] ?? '').slice(1), 16));
    const sequence = escapes.slice(at, at + length).join('');
    const character = sequence.toLowerCase() === '%2f' ? undefined : tryDecode(sequence);
    result += character ?? escapes[at];
    at += character === undefined ? 1 : length;
  }
  return result;
}

/** How many bytes a character has that starts with this one. */
function utf8Length(firstByte: number): number {
  if (firstByte < 0xc0) return 1;
  if (firstByte < 0xe0) return 2;
  return firstByte < 0xf0 ? 3 : 4;
}

function tryDecode(sequence: string): string | undefined {
  try {
    return decodeURIComponent(sequence);
  } catch {
    return undefined;
  }
}

function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/');
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === '..' && kept.length > 1) kept.pop();
    const isDots = segment === '.' || segment === '..';
    if (!isDots) kept.push(segment);
    // A path that ends in dots names a folder.
    else if (isLast) kept.push('');
  });
  return kept.join('/');
}
