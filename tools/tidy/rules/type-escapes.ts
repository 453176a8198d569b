import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import { type SyntaxNode, walk } from '../syntax.ts';

const escapes: Readonly<Record<string, { what: string; fix: string }>> = {
  TSAnyKeyword: { what: "'any' switches the type checker off", fix: "use 'unknown' and narrow it." },
  TSNonNullExpression: {
    what: "'!' hides a missing value",
    fix: 'handle the missing value, or assert with `invariant`.',
  },
  TSEnumDeclaration: { what: "'enum' is not erasable", fix: 'use a union of literals, or an object `as const`.' },
  TSParameterProperty: { what: 'parameter properties are not erasable', fix: 'declare the field and assign it.' },
};

const directive = /(?:\/\/|\/\*)\s*(@ts-ignore|@ts-nocheck|@ts-expect-error)\b/;

/** Nothing in the code switches the type checker off. */
export const typeEscapesRule: Rule = {
  name: 'type-escapes',
  promise: 'Nothing in the code switches the type checker off.',
  check(repository) {
    return repository.files
      .filter((file) => file.isCode)
      .flatMap((file) => {
        const findings: Finding[] = [];
        walk(file.syntax, (node: SyntaxNode) => {
          const found = escapes[node.type];
          const line = file.lineAt(node.start);
          if (found) findings.push({ path: file.path, line, message: `${found.what}.`, fix: found.fix });
        });
        file.lines.forEach((text, index) => {
          const found = directive.exec(text)?.[1];
          if (found === undefined) return;
          const message = `'${found}' hides an error of the type checker.`;
          findings.push({ path: file.path, line: index + 1, message, fix: 'mend the types.' });
        });
        return findings;
      });
  },
  good: [{ 'packages/kernel/src/a.ts': 'const any: unknown = !1; type A = { enum: string };' }],
  bad: [
    { files: { 'packages/kernel/src/a.ts': '\nlet a: any;' }, at: 'packages/kernel/src/a.ts:2' },
    { files: { 'packages/kernel/src/a.test.ts': 'f(x as any[]);' }, at: 'packages/kernel/src/a.test.ts:1' },
    { files: { 'tools/a.ts': 'a.b!.c;' }, at: 'tools/a.ts:1' },
    { files: { 'packages/kernel/src/a.ts': 'enum A { B }' }, at: 'packages/kernel/src/a.ts:1' },
    {
      files: { 'packages/kernel/src/a.ts': 'class A { constructor(private b: B) {} }' },
      at: 'packages/kernel/src/a.ts:1',
    },
    { files: { 'packages/kernel/src/a.ts': `a();\n// ${'@ts-'}ignore\nb();` }, at: 'packages/kernel/src/a.ts:2' },
  ],
};
