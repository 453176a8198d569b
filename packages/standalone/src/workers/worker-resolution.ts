import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import {
  describeMachine,
  type Interpreter,
  nodeCatalogueFiles,
  type ResolveWorkerDeps,
  readWorkerCatalogue,
  type WorkersDirectory,
} from '@switchyard/sidecar';

/** The Functions host version that workers are told we stand for. */
export const hostVersion = '4.1052.0';

/**
 * Reads what is needed to resolve workers: the ones that came with us, this machine, and its interpreters. `nodes` are
 * releases of Node.js beside our own.
 */
export async function readWorkerDeps(nodes: readonly Interpreter[] = []): Promise<ResolveWorkerDeps> {
  const own = findOwnWorkers();
  const directories: WorkersDirectory[] =
    own === undefined ? [] : [{ path: own, source: 'the workers of Switchyard itself' }];
  return {
    files: nodeCatalogueFiles,
    catalogue: await readWorkerCatalogue(nodeCatalogueFiles, directories),
    machine: describeMachine({
      platform: process.platform,
      architecture: process.arch,
      hostVersion,
      processors: availableParallelism(),
    }),
    interpreters: new Map([['node', [{ path: process.execPath, version: process.versions.node }, ...nodes]]]),
  };
}

/** Each worker is a package beside the others, with its worker.config.json at the top. An image may hold one of them alone. */
function findOwnWorkers(): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  for (const name of ['worker-node', 'worker-custom']) {
    try {
      return dirname(dirname(dirname(resolve(`@switchyard/${name}`))));
    } catch {
      // It is not installed here.
    }
  }
  return undefined;
}
