import { asInteger, asRecord, asText, fieldOf } from '../parameters.ts';
import { tokenise } from '../text/tokenise.ts';

/** The most frequent words of a text, lower-cased: `{text, top}`. Equally frequent ones come in order of the alphabet. */
export function countWords(payload: unknown): { readonly word: string; readonly count: number }[] {
  const given = asRecord(payload, 'The payload');
  const top = asInteger(fieldOf(given, 'top') ?? 100, 'top', 1, 10_000);
  const counts = new Map<string, number>();
  for (const { kind, text } of tokenise(asText(fieldOf(given, 'text'), 'The text')).tokens) {
    if (kind !== 'word') continue;
    const word = text.toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].map(([word, count]) => ({ word, count }));
  return words.sort((left, right) => right.count - left.count || (left.word < right.word ? -1 : 1)).slice(0, top);
}
