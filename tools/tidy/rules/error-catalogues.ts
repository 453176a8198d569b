import { posix } from 'node:path';
import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { childOf, childrenOf, dottedName, nameOf, type SyntaxNode, walk } from '../syntax.ts';

/** Error codes stand in the package's errors.ts, are upper case, and mean one thing in the whole platform. */
export const errorCataloguesRule: Rule = {
  name: 'error-catalogues',
  promise: "Error codes stand in the package's errors.ts, are upper case, and mean one thing in the whole platform.",
  check(repository) {
    const findings: Finding[] = [];
    const seen = new Map<string, string>();
    for (const file of repository.files) {
      if (file.kind !== 'source') continue;
      for (const { code, line } of codesIn(file)) {
        const at = { path: file.path, line };
        const other = seen.get(code);
        if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code))
          findings.push({
            ...at,
            message: `'${code}' is no error code.`,
            fix: 'use upper case words and underscores.',
          });
        else if (other !== undefined)
          findings.push({ ...at, message: `'${code}' stands in ${other} too.`, fix: 'give one of them another name.' });
        else if (posix.basename(file.path) !== 'errors.ts')
          findings.push({ ...at, message: `'${code}' is defined outside errors.ts.`, fix: 'move it there.' });
        seen.set(code, file.path);
      }
    }
    return findings;
  },
  good: [
    { 'packages/model/src/errors.ts': `export const a = defineErrors({ HOST_JSON_INVALID: { http: 1 } });` },
    { 'packages/model/src/errors.test.ts': `defineErrors({ sample: {} });` },
  ],
  bad: [
    {
      files: { 'packages/model/src/errors.ts': `defineErrors({\nhostJson: {} });` },
      at: 'packages/model/src/errors.ts:2',
    },
    { files: { 'packages/model/src/a.ts': `defineErrors({ A_B: {} });` }, at: 'packages/model/src/a.ts:1' },
    {
      files: {
        'packages/model/src/errors.ts': `defineErrors({ A_B: {} });`,
        'packages/runtime/src/errors.ts': `defineErrors({ A_B: {} });`,
      },
      at: 'packages/runtime/src/errors.ts:1',
    },
  ],
};

function codesIn(file: SourceFile): { code: string; line: number }[] {
  const codes: { code: string; line: number }[] = [];
  walk(file.syntax, (node) => {
    if (node.type !== 'CallExpression' || dottedName(childOf(node, 'callee')) !== 'defineErrors') return;
    const table = childrenOf(node, 'arguments').find((argument) => argument.type === 'ObjectExpression');
    for (const property of table ? childrenOf(table, 'properties') : []) {
      const code = nameOf(property.key as SyntaxNode | undefined);
      if (code !== undefined) codes.push({ code, line: file.lineAt(property.start) });
    }
  });
  return codes;
}
