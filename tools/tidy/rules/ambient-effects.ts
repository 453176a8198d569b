import type { Finding } from '../finding.ts';
import type { Repository } from '../repository.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { childOf, childrenOf, dottedName, importsOf, type SyntaxNode, walk } from '../syntax.ts';
import {
  type Ban,
  compositionRoots,
  exemptions,
  freeInCompositionRoots,
  freeInTestSupport,
  testSupport,
} from '../tables/exemptions.ts';

const table = 'tools/tidy/tables/exemptions.ts';

/** Global names that are banned, whether called or handed on. */
const bannedNames: ReadonlyMap<string, Ban> = new Map([
  ['Date.now', 'wall-clock'],
  ['performance.now', 'wall-clock'],
  ['process.hrtime', 'wall-clock'],
  ['Math.random', 'randomness'],
  ['crypto.randomUUID', 'randomness'],
  ['crypto.getRandomValues', 'randomness'],
  ['setTimeout', 'timers'],
  ['setInterval', 'timers'],
  ['AbortSignal.timeout', 'timers'],
  ['setImmediate', 'turns'],
  ['queueMicrotask', 'turns'],
  ['process.nextTick', 'turns'],
  ['process.env', 'environment'],
  ['process.argv', 'environment'],
  ['process.exit', 'environment'],
]);

/** Imports that are banned: all names of a module, or some. */
const bannedImports: readonly { module: RegExp; names?: readonly string[]; ban: Ban }[] = [
  { module: /^node:timers/, ban: 'timers' },
  { module: /^node:child_process$/, ban: 'processes' },
  { module: /^node:crypto$/, names: ['randomUUID', 'randomBytes', 'randomInt'], ban: 'randomness' },
  { module: /^node:process$/, names: ['env', 'argv', 'exit'], ban: 'environment' },
  { module: /^node:(net|tls|dgram)$/, names: ['createServer', 'connect', 'createConnection'], ban: 'sockets' },
  { module: /^node:https?$/, names: ['createServer', 'request', 'get'], ban: 'sockets' },
  { module: /^node:http2$/, names: ['createServer', 'createSecureServer', 'connect'], ban: 'sockets' },
];

const fixes: Readonly<Record<Ban, string>> = {
  'wall-clock': 'take a `clock: Clock` and ask it.',
  randomness: 'take a `random: Random` and ask it.',
  timers: 'take a `clock: Clock` and use `clock.schedule` or `sleep`.',
  turns: `prefer a promise; where the turn of the loop matters, say why in ${table}.`,
  environment: 'take the value as an option; `main.ts` or the composition root reads it.',
  sockets: 'take the connection as a dependency; `main.ts` or the composition root opens it.',
  processes: 'take a port that starts the process.',
};

/** Time, chance, environment, sockets and processes come in through ports. */
export const ambientEffectsRule: Rule = {
  name: 'ambient-effects',
  promise: 'Time, chance, environment, sockets and processes come in through ports.',
  check(repository) {
    const used = new Set<string>();
    const findings = repository.files.flatMap((file) => (file.kind === 'source' ? usesOf(file, used) : []));
    return [...findings, ...staleExemptions(repository, used)];
  },
  good: [
    { 'packages/kernel/src/a.ts': 'const a = new Date(0), b = { setTimeout: 1 }.setTimeout, c = clock.now();' },
    { 'packages/runtime/src/main.ts': 'const a = process.env.A ?? Date.now();' },
    { 'packages/cli/src/a.ts': 'const a = process.env.A;' },
    { 'packages/triggers/src/testing/a.ts': `import { spawn } from 'node:child_process';\nsetImmediate(f);` },
    { 'packages/kernel/src/a.test.ts': 'const a = Date.now();' },
    { 'packages/kernel/src/a.ts': `import type { Server } from 'node:http';\ntype A = ReturnType<typeof setTimeout>;` },
  ],
  bad: [
    ...[
      'Date.now()',
      'new Date()',
      'Date()',
      'globalThis.performance.now()',
      'Math.random()',
      'crypto.randomUUID()',
      'setTimeout(f, 1)',
      'const wait = setInterval',
      'AbortSignal.timeout(1)',
      'setImmediate(f)',
      'queueMicrotask(f)',
      'const a = process.env["A"]',
      'process.exit(1)',
    ].map((text) => ({ files: { 'packages/model/src/a.ts': `\n${text};` }, at: 'packages/model/src/a.ts:2' })),
    ...[
      `import { setTimeout as wait } from 'node:timers/promises'`,
      `import { env } from 'node:process'`,
      `import { randomBytes } from 'node:crypto'`,
      `import { spawn } from 'node:child_process'`,
      `import { createServer } from 'node:http'`,
      `import * as http2 from 'node:http2'`,
    ].map((text) => ({ files: { 'packages/model/src/a.ts': text }, at: 'packages/model/src/a.ts:1' })),
    { files: { 'packages/cli/src/a.ts': 'setTimeout(f, 1)' }, at: 'packages/cli/src/a.ts:1' },
    { files: { 'packages/kernel/src/random.ts': 'export const a = 1;' }, at: `${table}:1` },
  ],
};

function usesOf(file: SourceFile, used: Set<string>): Finding[] {
  const findings: Finding[] = [];
  const report = (ban: Ban, offset: number, what: string): void => {
    if (isFree(file.path, ban)) return;
    const exemption = exemptions.find((one) => one.ban === ban && covers(one.path, file.path));
    if (exemption) used.add(`${exemption.ban} ${exemption.path}`);
    else findings.push({ path: file.path, line: file.lineAt(offset), message: `${what} (${ban}).`, fix: fixes[ban] });
  };
  for (const edge of importsOf(file.syntax)) {
    if (edge.typeOnly) continue;
    for (const banned of bannedImports) {
      if (!banned.module.test(edge.specifier)) continue;
      const hit = edge.names.find((name) => banned.names?.includes(name) ?? true);
      const all = edge.names.some((name) => name === '*' || name === 'default') && banned.ban === 'sockets';
      if (hit !== undefined || all) report(banned.ban, edge.offset, `imports ${hit ?? 'all'} of '${edge.specifier}'`);
    }
  }
  walk(file.syntax, (node, parents) => {
    if (isDateOfNow(node)) report('wall-clock', node.start, 'reads the date');
    if (!isUse(node, parents)) return;
    const name = dottedName(node) ?? '';
    const ban = bannedNames.get(name);
    if (ban) report(ban, node.start, `uses ${name}`);
  });
  return findings;
}

function isFree(path: string, ban: Ban): boolean {
  if (path.endsWith('/main.ts')) return true;
  if (compositionRoots.some((root) => path.startsWith(root))) return freeInCompositionRoots.includes(ban);
  return freeInTestSupport.includes(ban) && testSupport.some((pattern) => pattern.test(path));
}

function covers(exempt: string, path: string): boolean {
  return exempt.endsWith('/') ? path.startsWith(exempt) : path === exempt;
}

/** `new Date()` or `Date()`. */
function isDateOfNow(node: SyntaxNode): boolean {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return false;
  if (dottedName(childOf(node, 'callee')) !== 'Date') return false;
  return node.type === 'CallExpression' || childrenOf(node, 'arguments').length === 0;
}

/** True for a name in the place of a value: not a key, not a declaration, not a type. */
function isUse(node: SyntaxNode, parents: readonly SyntaxNode[]): boolean {
  const parent = parents.at(-1);
  if (node.type === 'MemberExpression') return true;
  if (node.type !== 'Identifier') return false;
  if (!parent || /^(TS(?!As|Satisfies|NonNull)|Import|Export)/.test(parent.type)) return false;
  if (parent.type === 'MemberExpression') return parent.object === node || parent.computed === true;
  if ('key' in parent) return parent.value === node;
  return parent.id !== node && !childrenOf(parent, 'params').includes(node);
}

function staleExemptions(repository: Repository, used: ReadonlySet<string>): Finding[] {
  return exemptions
    .filter((one) => repository.files.some((file) => covers(one.path, file.path)))
    .filter((one) => !used.has(`${one.ban} ${one.path}`))
    .map((one) => ({
      path: table,
      line: 1,
      message: `nothing needs the exemption of ${one.path} from '${one.ban}' any more.`,
      fix: 'remove it from the table.',
    }));
}
