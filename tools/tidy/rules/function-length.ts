import type { Rule } from '../rule.ts';
import { dottedName, nameOf, type SyntaxNode, walk } from '../syntax.ts';

const maxFunctionLines = 69;

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Functions stay under 70 lines. A `describe` block and a suite that only holds tests are no functions. */
export const functionLengthRule: Rule = {
  name: 'function-length',
  promise: 'Functions stay under 70 lines.',
  check(repository) {
    return repository.files
      .filter((file) => file.isCode)
      .flatMap((file) => {
        const findings: { path: string; line: number; message: string; fix: string }[] = [];
        walk(file.syntax, (node, parents) => {
          if (!functionTypes.has(node.type)) return;
          const lines = file.lineAt(node.end) - file.lineAt(node.start) + 1;
          if (lines <= maxFunctionLines || holdsTests(node, parents)) return;
          findings.push({
            path: file.path,
            line: file.lineAt(node.start),
            message: `${titleOf(node, parents)} has ${lines} lines, more than ${maxFunctionLines}.`,
            fix: 'split it: push the decisions up and the loops down.',
          });
        });
        return findings;
      });
  },
  good: [
    { 'packages/kernel/src/a.ts': `export function a() {${'\n'.repeat(68)}}` },
    { 'packages/kernel/src/a.test.ts': `describe('a', () => {\ntest('b', () => {});${'\n'.repeat(100)}});` },
    { 'packages/kernel/src/testing.ts': `export function suite() {\ntest('b', () => {});${'\n'.repeat(100)}}` },
  ],
  bad: [
    {
      files: { 'packages/kernel/src/a.ts': `\nexport function a() {${'\n'.repeat(69)}}` },
      at: 'packages/kernel/src/a.ts:2',
    },
    { files: { 'packages/kernel/src/a.ts': `class A { b() {${'\n'.repeat(69)}} }` }, at: 'packages/kernel/src/a.ts:1' },
    { files: { 'test/a.test.ts': `test('a', () => {${'\n'.repeat(69)}});` }, at: 'test/a.test.ts:1' },
  ],
};

/** True for the body of `describe`, and for a suite: a function that calls `test`, `it` or `describe` itself. */
function holdsTests(node: SyntaxNode, parents: readonly SyntaxNode[]): boolean {
  if (/^(test|it)\b/.test(calledBy(node, parents) ?? '')) return false;
  let holds = false;
  walk(node, (inner) => {
    if (inner.type !== 'CallExpression') return;
    holds ||= /^(describe|test|it)\b/.test(dottedName(inner.callee as SyntaxNode) ?? '');
  });
  return holds;
}

function calledBy(node: SyntaxNode, parents: readonly SyntaxNode[]): string | undefined {
  const call = parents.at(-1);
  if (call?.type !== 'CallExpression' || call.callee === node) return undefined;
  const callee = call.callee as SyntaxNode;
  return dottedName(callee.type === 'CallExpression' ? (callee.callee as SyntaxNode) : callee);
}

function titleOf(node: SyntaxNode, parents: readonly SyntaxNode[]): string {
  const parent = parents.at(-1);
  const own = nameOf(node.id as SyntaxNode | undefined);
  const given = nameOf((parent?.key ?? parent?.id) as SyntaxNode | undefined);
  const name = own ?? given;
  return name === undefined ? 'the function' : `'${name}'`;
}
