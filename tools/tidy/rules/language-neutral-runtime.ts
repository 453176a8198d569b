import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import { childOf, nameOf, type SyntaxNode, walk } from '../syntax.ts';

const languages = new Set([
  'node',
  'javascript',
  'typescript',
  'python',
  'java',
  'powershell',
  'dotnet',
  'dotnet-isolated',
]);

const neutralPackages = ['runtime', 'triggers'];

/** The Runtime treats all languages alike: workers differ by the capabilities that they announce. */
export const languageNeutralRuntimeRule: Rule = {
  name: 'language-neutral-runtime',
  promise: 'The Runtime treats all languages alike: workers differ by the capabilities that they announce.',
  check(repository) {
    const findings: Finding[] = [];
    for (const file of repository.files) {
      if (file.kind !== 'source' || !neutralPackages.includes(file.packageName ?? '')) continue;
      walk(file.syntax, (node) => {
        const language = comparedLanguage(node);
        if (language === undefined) return;
        const message = `decides by the language '${language}'.`;
        const fix = 'decide by a capability that the worker announces.';
        findings.push({ path: file.path, line: file.lineAt(node.start), message, fix });
      });
    }
    return findings;
  },
  good: [
    { 'packages/runtime/src/a.ts': `const a = { runtime: 'node' }; if (capabilities.has('RpcHttpBodyOnly')) b();` },
    { 'packages/cli/src/a.ts': `if (stack === 'node') a();` },
  ],
  bad: [
    {
      files: { 'packages/runtime/src/a.ts': `\nif (stack.runtime === 'python') a();` },
      at: 'packages/runtime/src/a.ts:2',
    },
    { files: { 'packages/runtime/src/a.ts': `switch (a) {\ncase 'java': b(); }` }, at: 'packages/runtime/src/a.ts:2' },
    { files: { 'packages/runtime/src/a.ts': `if (a.startsWith('dotnet')) b();` }, at: 'packages/runtime/src/a.ts:1' },
    { files: { 'packages/runtime/src/a.ts': `if (['node'].includes(a)) b();` }, at: 'packages/runtime/src/a.ts:1' },
  ],
};

function comparedLanguage(node: SyntaxNode): string | undefined {
  if (node.type === 'BinaryExpression') return languageIn(node.left) ?? languageIn(node.right);
  if (node.type === 'SwitchCase') return languageIn(node.test);
  if (node.type !== 'CallExpression') return undefined;
  const callee = childOf(node, 'callee');
  const method = callee?.type === 'MemberExpression' ? nameOf(childOf(callee, 'property')) : undefined;
  if (method === undefined || !/^(startsWith|endsWith|includes|has|indexOf|test)$/.test(method)) return undefined;
  return languageIn(node.arguments) ?? languageIn(callee?.object);
}

function languageIn(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(languageIn).find((found) => found !== undefined);
  const node = value as SyntaxNode | null;
  if (node?.type === 'ArrayExpression') return languageIn(node.elements);
  const text = node?.type === 'Literal' && typeof node.value === 'string' ? node.value.toLowerCase() : undefined;
  return text !== undefined && languages.has(text) ? text : undefined;
}
