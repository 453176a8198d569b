import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { childOf, childrenOf, dottedName, importsOf, nameOf, type SyntaxNode, walk } from '../syntax.ts';

/** Real waiting belongs to tests over real processes; there, waiting for something that must come is an assertion. */
const mayWait: readonly string[] = ['test/e2e/', 'test/bench/', 'test/conformance/'];

/** Every test can fail, none is switched off, and none sleeps. */
export const honestTestsRule: Rule = {
  name: 'honest-tests',
  promise: 'Every test can fail, none is switched off, and none sleeps.',
  check: (repository) =>
    repository.files
      .filter((file) => file.path.endsWith('.test.ts'))
      .flatMap((file) => [...calls(file), ...sleeps(file)]),
  good: [
    { 'packages/kernel/src/a.test.ts': `test('a', () => { expect(1).toBe(1); });\nsetImmediate(b);` },
    {
      'packages/kernel/src/a.test.ts': `const works = async () => { expect(await b()).toBe(1); };
        test('a', async () => { await works(); });`,
    },
    { 'test/e2e/a.test.ts': `test('a', async () => { await process.line(/ready/); });` },
    { 'packages/kernel/src/a.test.ts': `test.skipIf(part.skip)('a', () => expectSomething());` },
  ],
  bad: [
    {
      files: { 'packages/kernel/src/a.test.ts': `\ntest('a', () => { run(); });` },
      at: 'packages/kernel/src/a.test.ts:2',
    },
    {
      files: { 'packages/kernel/src/a.test.ts': `test.only('a', () => expect(1));` },
      at: 'packages/kernel/src/a.test.ts:1',
    },
    {
      files: { 'packages/kernel/src/a.test.ts': `describe.skip('a', () => {});` },
      at: 'packages/kernel/src/a.test.ts:1',
    },
    {
      files: { 'packages/kernel/src/a.test.ts': `test('a', { retry: 2 }, () => expect(1));` },
      at: 'packages/kernel/src/a.test.ts:1',
    },
    {
      files: {
        'packages/kernel/src/a.test.ts': `test('a', async () => { await wait(() => setTimeout(b, 1)); expect(1); });`,
      },
      at: 'packages/kernel/src/a.test.ts:1',
    },
    {
      files: { 'packages/kernel/src/a.test.ts': `import { setTimeout } from 'node:timers/promises';` },
      at: 'packages/kernel/src/a.test.ts:1',
    },
  ],
};

function calls(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.syntax, (node) => {
    const problem = node.type === 'CallExpression' ? problemOf(file, node) : undefined;
    if (problem) findings.push({ path: file.path, line: file.lineAt(node.start), ...problem });
  });
  return findings;
}

function problemOf(file: SourceFile, call: SyntaxNode): Pick<Finding, 'message' | 'fix'> | undefined {
  const name = calleeName(call.callee as SyntaxNode);
  if (!/^(test|it|describe)\b/.test(name)) return undefined;
  const off = /\.(only|skip|todo|fails)\b/.exec(name)?.[1];
  if (off !== undefined)
    return {
      message: `the test is marked '${off}'.`,
      fix: 'make it pass, or remove it; a missing part uses requirePart.',
    };
  const parts = childrenOf(call, 'arguments');
  const options = parts.find((part) => part.type === 'ObjectExpression');
  if (options && /\bretry\b/.test(file.text.slice(options.start, options.end)))
    return { message: 'the test retries.', fix: 'a test that fails now and then has found a bug: mend that.' };
  if (name.startsWith('describe')) return undefined;
  const body = parts.find((part) => /FunctionExpression$/.test(part.type));
  if (!body || proofIn(file).test(file.text.slice(body.start, body.end))) return undefined;
  return { message: 'the test asserts nothing, so it cannot fail.', fix: 'expect what it promises.' };
}

/** What an assertion looks like in a file: its own functions that assert count too. */
function proofIn(file: SourceFile): RegExp {
  const words = ['[Ee]xpect', '[Aa]ssert', ...(waits(file) ? ['await'] : [])];
  walk(file.syntax, (node) => {
    if (node.type !== 'FunctionDeclaration' && node.type !== 'VariableDeclarator') return;
    const name = nameOf(childOf(node, 'id'));
    const text = file.text.slice(node.start, node.end);
    if (name !== undefined && /expect\(|assert/.test(text)) words.push(`\\b${name}\\b`);
  });
  return new RegExp(words.join('|'));
}

function waits(file: SourceFile): boolean {
  return mayWait.some((folder) => file.path.startsWith(folder));
}

/** `test.skipIf` of `test.skipIf(x)('name', ...)`. */
function calleeName(callee: SyntaxNode): string {
  return dottedName(callee.type === 'CallExpression' ? (callee.callee as SyntaxNode) : callee) ?? '';
}

function sleeps(file: SourceFile): Finding[] {
  if (waits(file)) return [];
  const found = (offset: number): Finding => ({
    path: file.path,
    line: file.lineAt(offset),
    message: 'the test waits for the clock.',
    fix: 'use the virtual clock, or wait for the event itself.',
  });
  const findings = importsOf(file.syntax)
    .filter((edge) => /^node:timers/.test(edge.specifier))
    .map((edge) => found(edge.offset));
  walk(file.syntax, (node) => {
    if (node.type === 'CallExpression' && dottedName(node.callee as SyntaxNode) === 'setTimeout')
      findings.push(found(node.start));
  });
  return findings;
}
