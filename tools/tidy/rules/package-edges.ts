import type { Finding } from '../finding.ts';
import type { PackageManifest, Repository } from '../repository.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { importsOf } from '../syntax.ts';
import { testSupport } from '../tables/exemptions.ts';
import { packageEdges, packageScope, testOnlyPackages } from '../tables/package-edges.ts';

type Problem = Pick<Finding, 'message' | 'fix'>;

const table = 'tools/tidy/tables/package-edges.ts';

/** Packages import one another only along the edges of the table. */
export const packageEdgesRule: Rule = {
  name: 'package-edges',
  promise: 'Packages import one another only along the edges of the table.',
  check(repository) {
    const findings: Finding[] = [];
    for (const manifest of repository.packages.values()) findings.push(...manifestFindings(repository, manifest));
    for (const file of repository.files) {
      if (file.packageName === undefined || file.kind !== 'source') continue;
      for (const edge of importsOf(file.syntax)) {
        const target = packageOf(edge.specifier);
        if (target === undefined || target === file.packageName || allowed(file.packageName, target)) continue;
        const problem = isForTests(file, target)
          ? buildOrderProblem(repository, file.packageName, target)
          : {
              message: `'${file.packageName}' may not import '${target}'.`,
              fix: `move the shared part down into a package that both may use, or argue for a new edge in ${table}.`,
            };
        if (problem) findings.push({ path: file.path, line: file.lineAt(edge.offset), ...problem });
      }
    }
    return findings;
  },
  good: [
    {
      'packages/model/package.json':
        '{ "name": "@switchyard/model", "dependencies": { "@switchyard/kernel": "0.1.0" } }',
      'packages/model/tsconfig.json': '{ "references": [{ "path": "../kernel" }] }',
      'packages/model/src/a.ts': `import { x } from '@switchyard/kernel';`,
      'packages/model/src/a.test.ts': `import { x } from '@switchyard/testkit';`,
    },
    {
      'packages/model/tsconfig.json': '{ "references": [{ "path": "../testkit" }] }',
      'packages/model/src/testing/a.ts': `import { x } from '@switchyard/testkit';`,
    },
  ],
  bad: [
    {
      files: { 'packages/kernel/src/a.ts': `\nimport type { x } from '@switchyard/model';` },
      at: 'packages/kernel/src/a.ts:2',
    },
    {
      files: { 'packages/runtime/src/a.ts': `export { x } from '@switchyard/testkit';` },
      at: 'packages/runtime/src/a.ts:1',
    },
    {
      files: {
        'packages/model/tsconfig.json': '{ "references": [{ "path": "../kernel" }] }',
        'packages/model/src/testing/a.ts': `import { x } from '@switchyard/testkit';`,
      },
      at: 'packages/model/src/testing/a.ts:1',
    },
    {
      files: {
        'packages/kernel/package.json': '{ "dependencies": { "@switchyard/model": "0.1.0" } }',
        'packages/kernel/tsconfig.json': '{ "references": [{ "path": "../model" }] }',
      },
      at: 'packages/kernel/package.json:1',
    },
    {
      files: { 'packages/sundry/package.json': '{ "name": "@switchyard/sundry" }' },
      at: 'packages/sundry/package.json:1',
    },
    {
      files: {
        'packages/model/package.json': '{ "dependencies": { "@switchyard/kernel": "0.1.0" } }',
        'packages/model/tsconfig.json': '{ "references": [] }',
      },
      at: 'packages/model/tsconfig.json:1',
    },
  ],
};

/** The folder of a package of ours that an import names. */
export function packageOf(specifier: string): string | undefined {
  return specifier.startsWith(packageScope) ? specifier.slice(packageScope.length).split('/')[0] : undefined;
}

function allowed(from: string, to: string): boolean {
  return (packageEdges[from] ?? []).includes(to);
}

/** Code that only tests run may use what tests use. */
function isForTests(file: SourceFile, target: string): boolean {
  return testOnlyPackages.includes(target) && testSupport.some((pattern) => pattern.test(file.path));
}

/** Test support is compiled with its package, so the compiler must know what to compile before. */
function buildOrderProblem(repository: Repository, folder: string, target: string): Problem | undefined {
  const project = repository.file(`packages/${folder}/tsconfig.json`);
  if (!project || referencesOf(project).includes(target)) return undefined;
  const path = `packages/${folder}/tsconfig.json`;
  return {
    message: `${path} has no reference to '${target}'.`,
    fix: `add { "path": "../${target}" } to "references".`,
  };
}

function referencesOf(project: SourceFile): readonly (string | undefined)[] {
  return [...project.text.matchAll(/"path":\s*"\.\.\/([\w-]+)"/g)].map((match) => match[1]);
}

function manifestFindings(repository: Repository, manifest: PackageManifest): Finding[] {
  const at = { path: manifest.path, line: 1 };
  if (packageEdges[manifest.folder] === undefined) {
    const message = `package '${manifest.folder}' has no row in the table of package edges.`;
    return [{ ...at, message, fix: `add it to ${table} with the packages that it may use.` }];
  }
  const findings: Finding[] = [];
  const declared = manifest.dependencies.map(packageOf).filter((folder) => folder !== undefined);
  for (const target of declared) {
    if (allowed(manifest.folder, target) || testOnlyPackages.includes(target)) continue;
    const message = `'${manifest.folder}' may not depend on '${target}'.`;
    findings.push({ ...at, message, fix: `remove the dependency, or argue for a new edge in ${table}.` });
  }
  const project = repository.file(`packages/${manifest.folder}/tsconfig.json`);
  if (!project) return findings;
  const references = referencesOf(project);
  for (const target of declared) {
    if (references.includes(target) || testOnlyPackages.includes(target)) continue;
    const message = `package.json depends on '${target}', and tsconfig.json has no reference to it.`;
    findings.push({ path: project.path, line: 1, message, fix: `add { "path": "../${target}" } to "references".` });
  }
  return findings;
}
