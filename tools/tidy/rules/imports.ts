import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Finding } from '../finding.ts';
import type { PackageManifest, Repository } from '../repository.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { type ImportEdge, importsOf } from '../syntax.ts';
import { testSupport } from '../tables/exemptions.ts';
import { packageOf } from './package-edges.ts';

/** Imports stay inside the package, or name a declared dependency by a public entry. */
export const importsRule: Rule = {
  name: 'imports',
  promise: 'Imports stay inside the package, or name a declared dependency by a public entry.',
  check(repository) {
    const findings: Finding[] = [];
    for (const file of repository.files) {
      if (!file.isCode) continue;
      for (const edge of importsOf(file.syntax)) {
        const problem = edge.specifier.startsWith('.')
          ? relativeProblem(repository, file, edge.specifier)
          : packageProblem(repository, file, edge);
        if (problem) findings.push({ path: file.path, line: file.lineAt(edge.offset), ...problem });
      }
    }
    return findings;
  },
  good: [
    {
      'packages/model/package.json':
        '{ "name": "@switchyard/model", "dependencies": { "@switchyard/kernel": "0.1.0", "zod": "1" } }',
      'packages/kernel/package.json': '{ "name": "@switchyard/kernel", "exports": { ".": "./src/a.ts" } }',
      'packages/model/src/a.ts': `import { z } from 'zod/v4';\nimport { x } from '@switchyard/kernel';\nimport './b.ts';`,
      'packages/model/src/b.ts': `import { readFile } from 'node:fs/promises';\nawait import(url);`,
    },
    {
      'package.json': '{ "devDependencies": { "vitest": "1" } }',
      'packages/kernel/package.json': '{ "name": "@switchyard/kernel", "exports": { ".": "./src/a.ts" } }',
      'packages/kernel/src/a.test.ts': `import { test } from 'vitest';`,
      'packages/kernel/build.mjs': `import { test } from 'vitest';`,
      'tools/b.ts': `import { test } from 'vitest';`,
    },
  ],
  bad: [
    {
      files: { 'packages/kernel/src/a.ts': `import '../../model/src/b.ts';`, 'packages/model/src/b.ts': '' },
      at: 'packages/kernel/src/a.ts:1',
    },
    {
      files: { 'packages/kernel/src/a.ts': `import './testing/b.ts';`, 'packages/kernel/src/testing/b.ts': '' },
      at: 'packages/kernel/src/a.ts:1',
    },
    { files: { 'packages/kernel/src/a.ts': `import './missing.ts';` }, at: 'packages/kernel/src/a.ts:1' },
    {
      files: { 'packages/kernel/src/a.ts': `import './b.js';`, 'packages/kernel/src/b.ts': '' },
      at: 'packages/kernel/src/a.ts:1',
    },
    {
      files: {
        'packages/kernel/package.json': '{ "name": "@switchyard/kernel" }',
        'packages/kernel/src/a.ts': `import 'left-pad';`,
      },
      at: 'packages/kernel/src/a.ts:1',
    },
    {
      files: {
        'packages/model/package.json': '{ "dependencies": { "@switchyard/kernel": "0.1.0" } }',
        'packages/kernel/package.json': '{ "exports": { ".": "./src/index.ts" } }',
        'packages/model/src/a.ts': `import '@switchyard/kernel/src/clock.ts';`,
      },
      at: 'packages/model/src/a.ts:1',
    },
    {
      files: {
        'packages/model/package.json': '{ "dependencies": { "@switchyard/kernel": "0.1.0" } }',
        'packages/kernel/package.json': '{ "exports": { ".": "./src/index.ts", "./testing": "./src/testing.ts" } }',
        'packages/model/src/a.ts': `import '@switchyard/kernel/testing';`,
      },
      at: 'packages/model/src/a.ts:1',
    },
  ],
};

type Problem = Pick<Finding, 'message' | 'fix'>;

function relativeProblem(repository: Repository, file: SourceFile, specifier: string): Problem | undefined {
  const target = posix.join(posix.dirname(file.path), specifier);
  const home = file.packageName === undefined ? undefined : `packages/${file.packageName}/`;
  if (file.kind === 'source' && home && !target.startsWith(`${home}src/`) && !target.startsWith(`${home}dist/`))
    return {
      message: `'${specifier}' leaves the package's src folder.`,
      fix: 'import the other package by its name, or move the file.',
    };
  if (file.kind === 'source' && isTestSupport(target) && !isTestSupport(file.path))
    return { message: `'${specifier}' is for tests.`, fix: 'move what is needed out of the test support.' };
  if (repository.file(target) || target.includes('/dist/')) return undefined;
  return { message: `'${specifier}' names no file.`, fix: 'write the path of the source file, with its extension.' };
}

function packageProblem(repository: Repository, file: SourceFile, edge: ImportEdge): Problem | undefined {
  if (isBuiltin(edge.specifier)) {
    if (edge.specifier.startsWith('node:')) return undefined;
    return { message: `'${edge.specifier}' is a module of Node.`, fix: `write 'node:${edge.specifier}'.` };
  }
  const ours = packageOf(edge.specifier);
  const target = ours === undefined ? undefined : repository.packages.get(ours);
  if (target) {
    const deep = deepProblem(file, edge.specifier, target);
    if (deep) return deep;
  }
  const name = packageName(edge.specifier);
  const manifest = file.packageName === undefined ? undefined : repository.packages.get(file.packageName);
  if (!manifest || manifest.name === name || manifest.dependencies.includes(name)) return undefined;
  const free = file.kind !== 'source' || isTestSupport(file.path);
  if (free && (ours !== undefined || repository.rootDependencies.includes(name))) return undefined;
  return { message: `'${name}' is not in the dependencies of ${manifest.path}.`, fix: 'declare it, or do without it.' };
}

function deepProblem(file: SourceFile, specifier: string, target: PackageManifest): Problem | undefined {
  const entry = `.${specifier.slice(packageName(specifier).length)}`;
  if (!target.entries.includes(entry))
    return {
      message: `'${specifier}' reaches inside a package.`,
      fix: `use one of its entries: ${target.entries.join(', ')}.`,
    };
  const forTests = entry === './testing' && file.kind === 'source' && file.packageName !== 'testkit';
  if (!forTests || file.path.includes('/testing/') || file.baseName === 'testing.ts') return undefined;
  return { message: `'${specifier}' is for tests.`, fix: 'move what is needed into an entry for everybody.' };
}

function isTestSupport(path: string): boolean {
  return testSupport.some((pattern) => pattern.test(path));
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}
