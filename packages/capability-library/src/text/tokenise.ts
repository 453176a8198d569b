/** A piece of a text, and where it stands in it, in UTF-16 units. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly kind: 'word' | 'number' | 'other';
}

/** More tokens than this are not given; `truncated` then says so. */
export const maxTokens = 200_000;

const pattern = /(\p{N}+(?:[.,]\p{N}+)*)|([\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*)|([^\s\p{L}\p{M}\p{N}]+)/gu;

/** Words, numbers and what stands between them; spaces are left out. */
export function tokenise(text: string): { readonly tokens: Token[]; readonly truncated: boolean } {
  const tokens: Token[] = [];
  for (const match of text.matchAll(pattern)) {
    if (tokens.length === maxTokens) return { tokens, truncated: true };
    const kind = match[1] !== undefined ? 'number' : match[2] !== undefined ? 'word' : 'other';
    tokens.push({ text: match[0], start: match.index, kind });
  }
  return { tokens, truncated: false };
}

/**
 * How often each hash bucket of the text's character n-grams occurs, divided by the number of n-grams: a vector that
 * models take. Letters are lower-cased; what is no letter counts as one space. The hash is FNV-1a over UTF-16 units.
 */
export function ngramVector(text: string, size: number, buckets: number): number[] {
  const clean = ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}]+/gu, ' ')
    .trim()} `;
  const counts = new Array<number>(buckets).fill(0);
  const total = clean.length - size + 1;
  if (total <= 0 || clean.trim() === '') return counts;
  for (let start = 0; start < total; start += 1) {
    const bucket = fnv1a(clean, start, start + size) % buckets;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts.map((count) => count / total);
}

function fnv1a(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let position = start; position < end; position += 1) {
    hash ^= text.charCodeAt(position);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash;
}
