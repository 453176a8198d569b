import { posix } from 'node:path';
import type { Finding } from '../finding.ts';
import type { Repository } from '../repository.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { importsOf } from '../syntax.ts';

/** `I4 ...` at the start of a line of a block comment. */
const declaration = /^\s*\*\s+I(\d+)[\s.:]/;

/** The beginning of a test's name: `I2: ...`, or `I2, I3: ...`. */
const citation = /(['"`])((?:I\d+(?:,\s*|\s+and\s+)?)+):/g;

/** Every invariant that a file declares is proved by a test beside it, and tests cite no others. */
export const invariantsRule: Rule = {
  name: 'invariants',
  promise: 'Every invariant that a file declares is proved by a test beside it, and tests cite no others.',
  check(repository) {
    return repository.files.flatMap((file) => {
      if (file.kind === 'source') return uncited(repository, file);
      return file.kind === 'test' ? undeclared(repository, file) : [];
    });
  },
  good: [
    {
      'packages/kernel/src/a.ts': '/**\n * I1 Holds.\n * I2 Stays.\n */\n',
      'packages/kernel/src/a.test.ts': `test('I1: holds', () => {});\ntest("I1, I2: stays", () => {});`,
    },
    {
      'packages/kernel/src/a.ts': '/**\n * I1 Holds.\n */\n',
      'packages/kernel/src/a.test.ts': `import { suite } from './a-suite.ts';\nsuite();`,
      'packages/kernel/src/a-suite.ts': `export function suite() { test('I1: holds', () => {}); }`,
    },
  ],
  bad: [
    { files: { 'packages/kernel/src/a.ts': '/**\n * I1 Holds.\n */' }, at: 'packages/kernel/src/a.ts:2' },
    {
      files: {
        'packages/kernel/src/a.ts': '/**\n * I1 Holds.\n * I2 Stays.\n */',
        'packages/kernel/src/a.test.ts': `test('I1: holds', () => {});`,
      },
      at: 'packages/kernel/src/a.ts:3',
    },
    {
      files: {
        'packages/kernel/src/a.ts': '/**\n * I1 Holds.\n */',
        'packages/kernel/src/a.test.ts': `test('I1: holds', () => {});\ntest('I2: stays', () => {});`,
      },
      at: 'packages/kernel/src/a.test.ts:2',
    },
  ],
};

interface Mention {
  readonly id: string;
  readonly line: number;
}

function uncited(repository: Repository, file: SourceFile): Finding[] {
  const declared = declaredIn(file);
  if (declared.length === 0) return [];
  const testPath = file.path.replace(/\.ts$/, '.test.ts');
  const cited = new Set(citedBy(repository, testPath).map((mention) => mention.id));
  return declared
    .filter((mention) => !cited.has(mention.id))
    .map(({ id, line }) => ({
      path: file.path,
      line,
      message: `no test in ${posix.basename(testPath)} cites ${id}.`,
      fix: `write a test whose name begins with '${id}: ' and that fails when the invariant is broken.`,
    }));
}

function undeclared(repository: Repository, test: SourceFile): Finding[] {
  const subject = repository.file(test.path.replace(/\.test\.ts$/, '.ts'));
  const declared = new Set(subject ? declaredIn(subject).map((mention) => mention.id) : []);
  return citedIn(test)
    .filter((mention) => !declared.has(mention.id))
    .map(({ id, line }) => ({
      path: test.path,
      line,
      message: `the test cites ${id}, which ${subject?.path ?? 'no file beside it'} does not declare.`,
      fix: 'declare the invariant in the header, or name the test for what it shows.',
    }));
}

/** Citations of a test file, and of the suites beside it that it runs. */
function citedBy(repository: Repository, testPath: string): Mention[] {
  const test = repository.file(testPath);
  if (!test) return [];
  const suites = importsOf(test.syntax)
    .filter((edge) => edge.specifier.startsWith('.'))
    .map((edge) => repository.file(posix.join(posix.dirname(testPath), edge.specifier)))
    .filter((file) => file !== undefined);
  return [test, ...suites].flatMap(citedIn);
}

function declaredIn(file: SourceFile): Mention[] {
  return file.lines.flatMap((text, index) => {
    const number = declaration.exec(text)?.[1];
    return number === undefined ? [] : [{ id: `I${number}`, line: index + 1 }];
  });
}

function citedIn(file: SourceFile): Mention[] {
  return file.lines.flatMap((text, index) =>
    [...text.matchAll(citation)].flatMap((match) =>
      (match[2]?.match(/I\d+/g) ?? []).map((id) => ({ id, line: index + 1 })),
    ),
  );
}
