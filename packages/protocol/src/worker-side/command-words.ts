/**
 * Splits a piece of a command line into words, by the rules that .NET applies to a process' arguments on every system:
 * blanks separate words, double quotes hold a word together, `""` inside quotes and `\"` anywhere are a quote, and a
 * backslash is otherwise itself. Hosts write worker arguments as one text, so configuration files hold several words in
 * one string. Never fails: a quote that is not closed ends with the text.
 */
export function splitCommandWords(text: string): string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(text[at])) at += 1;
    if (at >= text.length) return words;
    const { word, next } = readWord(text, at);
    words.push(word);
    at = next;
  }
}

function readWord(text: string, start: number): { readonly word: string; readonly next: number } {
  let word = '';
  let quoted = false;
  let at = start;
  while (at < text.length) {
    const character = text[at];
    if (character === '\\') {
      const run = countBackslashes(text, at);
      at += run;
      const beforeQuote = text[at] === '"';
      word += '\\'.repeat(beforeQuote ? Math.floor(run / 2) : run);
      if (!beforeQuote || run % 2 === 0) continue;
      word += '"';
    } else if (character !== '"') {
      if (!quoted && isBlank(character)) break;
      word += character;
    } else if (quoted && text[at + 1] === '"') {
      word += '"';
      at += 1;
    } else quoted = !quoted;
    at += 1;
  }
  return { word, next: at };
}

function countBackslashes(text: string, start: number): number {
  let end = start;
  while (text[end] === '\\') end += 1;
  return end - start;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}
