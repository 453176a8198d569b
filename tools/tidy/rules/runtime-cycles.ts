import { posix } from 'node:path';
import type { Finding } from '../finding.ts';
import type { Repository } from '../repository.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { importsOf } from '../syntax.ts';
import { packageOf } from './package-edges.ts';

/** What runs has no import cycles, neither between files nor between packages. */
export const runtimeCyclesRule: Rule = {
  name: 'runtime-cycles',
  promise: 'What runs has no import cycles, neither between files nor between packages.',
  check(repository) {
    const findings: Finding[] = [];
    for (const cycle of cyclesOf(fileGraph(repository))) findings.push(toFinding(cycle));
    for (const cycle of cyclesOf(packageGraph(repository)))
      findings.push(toFinding(cycle.map((folder) => `packages/${folder}/package.json`)));
    return findings;
  },
  good: [
    {
      'packages/kernel/src/a.ts': `import { b } from './b.ts';`,
      'packages/kernel/src/b.ts': `import type { a } from './a.ts';`,
    },
  ],
  bad: [
    {
      files: {
        'packages/kernel/src/a.ts': `import { b } from './b.ts';`,
        'packages/kernel/src/b.ts': `export * from './c.ts';`,
        'packages/kernel/src/c.ts': `import './a.ts';`,
      },
      at: 'packages/kernel/src/a.ts:1',
    },
    {
      files: {
        'packages/kernel/package.json': '{ "dependencies": { "@switchyard/model": "1" } }',
        'packages/model/package.json': '{ "dependencies": { "@switchyard/kernel": "1" } }',
      },
      at: 'packages/kernel/package.json:1',
    },
  ],
};

type Graph = ReadonlyMap<string, readonly string[]>;

function fileGraph(repository: Repository): Graph {
  const sources = repository.files.filter((file) => file.kind === 'source' || file.kind === 'generated');
  return new Map(sources.map((file) => [file.path, targetsOf(repository, file)]));
}

function targetsOf(repository: Repository, file: SourceFile): string[] {
  return importsOf(file.syntax)
    .filter((edge) => !edge.typeOnly)
    .map(({ specifier }) => {
      if (specifier.startsWith('.')) return posix.join(posix.dirname(file.path), specifier);
      const manifest = repository.packages.get(packageOf(specifier) ?? '');
      return manifest?.sources.get(`.${specifier.slice(manifest.name.length)}`) ?? '';
    })
    .filter((path) => repository.file(path) !== undefined);
}

function packageGraph(repository: Repository): Graph {
  return new Map(
    [...repository.packages.values()].map((manifest) => [
      manifest.folder,
      manifest.dependencies.map(packageOf).filter((folder) => folder !== undefined),
    ]),
  );
}

/** One cycle for each group of nodes that reach one another, starting at its first node by name. */
function cyclesOf(graph: Graph): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const start of [...graph.keys()].sort()) {
    if (done.has(start)) continue;
    const cycle = pathBack(graph, start);
    if (!cycle) continue;
    for (const node of cycle) done.add(node);
    cycles.push(cycle);
  }
  return cycles;
}

/** The shortest way from `start` to itself. */
function pathBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  let frontier = [start];
  while (frontier.length > 0) {
    const next: string[] = [];
    for (const node of frontier) {
      for (const target of graph.get(node) ?? []) {
        if (target === start) return trace(cameFrom, start, node);
        if (cameFrom.has(target)) continue;
        cameFrom.set(target, node);
        next.push(target);
      }
    }
    frontier = next;
  }
  return undefined;
}

function trace(cameFrom: ReadonlyMap<string, string>, start: string, last: string): string[] {
  const path = [last];
  for (let node = last; node !== start; ) {
    node = cameFrom.get(node) ?? start;
    path.unshift(node);
  }
  return path;
}

function toFinding(cycle: readonly string[]): Finding {
  return {
    path: cycle[0] ?? '',
    line: 1,
    message: `import cycle: ${[...cycle, cycle[0]].join(' -> ')}.`,
    fix: 'move what both ends need into a file of its own, or import only the type.',
  };
}
