import type { Rule } from '../rule.ts';

const maxCodeLines = 500;

/** Pages that must stay short enough to be read in one sitting. */
const maxDocumentLines: Readonly<Record<string, number>> = {
  'README.md': 300,
  'ARCHITECTURE.md': 300,
  'CONTRIBUTING.md': 300,
};

/** No file of code is longer than 500 lines, and no front-page document longer than 300. */
export const fileLengthRule: Rule = {
  name: 'file-length',
  promise: `No file of code is longer than ${maxCodeLines} lines, and no front-page document longer than 300.`,
  check(repository) {
    return repository.files.flatMap((file) => {
      const limit = file.isCode ? maxCodeLines : maxDocumentLines[file.path];
      const lines = file.lines.length - 1;
      if (limit === undefined || lines <= limit) return [];
      const message = `the file has ${lines} lines, more than ${limit}.`;
      return [
        { path: file.path, line: limit + 1, message, fix: 'find the second thing that it does and move it out.' },
      ];
    });
  },
  good: [{ 'packages/kernel/src/a.ts': '\n'.repeat(500), 'packages/protocol/src/gen/a.ts': '\n'.repeat(5000) }],
  bad: [
    { files: { 'packages/kernel/src/a.ts': '\n'.repeat(501) }, at: 'packages/kernel/src/a.ts:501' },
    { files: { 'ARCHITECTURE.md': '\n'.repeat(301) }, at: 'ARCHITECTURE.md:301' },
  ],
};
