import type { Rule } from '../rule.ts';

/** The words that mark unfinished work; spelled apart so that this file does not find itself. */
const words = ['TO', 'FIX', 'XX', 'HA'].map((start, index) => start + ['DO', 'ME', 'X', 'CK'][index]);

const note = new RegExp(`(?://|/\\*|\\*|#|<!--).*\\b(${words.join('|')})\\b(?!\\s*\\(#\\d+\\))`);

const suppression = /biome-ignore\b(?!.*:\s*\S)/;

/** A note about unfinished work names its issue; a switched-off lint rule says why. */
export const openNotesRule: Rule = {
  name: 'open-notes',
  promise: 'A note about unfinished work names its issue; a switched-off lint rule says why.',
  check(repository) {
    return repository.files
      .filter((file) => file.isCode || /\.(md|yaml|yml|proto)$/.test(file.path))
      .flatMap((file) =>
        file.lines.flatMap((text, index) => {
          const at = { path: file.path, line: index + 1 };
          const word = note.exec(text)?.[1];
          if (word !== undefined)
            return [{ ...at, message: `'${word}' without an issue.`, fix: `finish it, or write '${word} (#12)'.` }];
          if (!file.isCode || !suppression.test(text)) return [];
          return [{ ...at, message: 'a lint rule is switched off without a reason.', fix: 'say why after a colon.' }];
        }),
      );
  },
  good: [{ 'packages/kernel/src/a.ts': `// ${words[0]} (#7) faster\nconst a = '${words[0]}';` }],
  bad: [
    { files: { 'packages/kernel/src/a.ts': `a();\n// ${words[0]}: faster` }, at: 'packages/kernel/src/a.ts:2' },
    { files: { 'packages/kernel/src/a.test.ts': `/* ${words[1]} */` }, at: 'packages/kernel/src/a.test.ts:1' },
    { files: { 'tools/a.ts': `// ${'biome'}-ignore lint/style/noVar` }, at: 'tools/a.ts:1' },
  ],
};
