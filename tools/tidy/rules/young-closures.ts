import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { childOf, dottedName, type SyntaxNode, walk } from '../syntax.ts';

/** What calls pass on their way, over and over. */
const hot = /^packages\/(kernel|protocol|runtime|sidecar|triggers|worker-custom|worker-node)\/src\/(?!testing\/)/;

/**
 * V8 takes a function that is written straight into a property for a method of a prototype, and makes it in the old
 * generation. One that belongs to a call then keeps all that it can see, the whole call, until the next full collection.
 */
export const youngClosuresRule: Rule = {
  name: 'young-closures',
  promise:
    'Where calls pass, functions get a name before they are put into a property, so that they go with their call.',
  check: (repository) =>
    repository.files.filter((file) => file.kind === 'source' && hot.test(file.path)).flatMap(assignmentsOf),
  good: [
    { 'packages/runtime/src/a.ts': 'const end = () => a;\ncall.end = end;\nlet b = () => a;\nb = () => c;' },
    { 'packages/runtime/src/a.ts': 'class A { end = () => a; }\nconst call = { end: () => a };' },
    { 'packages/cli/src/a.ts': 'call.end = () => a;' },
    { 'packages/runtime/src/a.ts': 'Module.prototype.require = function () {};' },
    { 'packages/runtime/src/a.test.ts': 'call.end = () => a;' },
  ],
  bad: [
    { files: { 'packages/runtime/src/a.ts': '\ncall.end = () => a;' }, at: 'packages/runtime/src/a.ts:2' },
    { files: { 'packages/sidecar/src/a.ts': 'this.#end = function () {};' }, at: 'packages/sidecar/src/a.ts:1' },
    { files: { 'packages/kernel/src/a.ts': 'calls[1] = async () => a;' }, at: 'packages/kernel/src/a.ts:1' },
  ],
};

function assignmentsOf(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.syntax, (node) => {
    if (node.type !== 'AssignmentExpression') return;
    const right = childOf(node, 'right')?.type;
    const left = childOf(node, 'left');
    if (left?.type !== 'MemberExpression' || isPrototype(childOf(left, 'object'))) return;
    if (right !== 'ArrowFunctionExpression' && right !== 'FunctionExpression') return;
    findings.push({
      path: file.path,
      line: file.lineAt(node.start),
      message: 'a function is written straight into a property, which makes it in the old generation.',
      fix: 'give it a name first: `const end = () => ...; call.end = end;`.',
    });
  });
  return findings;
}

/** What is written there is meant to be old. */
function isPrototype(node: SyntaxNode | undefined): boolean {
  return node !== undefined && /(^|\.)prototype$/.test(dottedName(node) ?? '');
}
