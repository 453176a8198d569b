/**
 * Loads the app's files, as CommonJS or as ES modules, by the rules of Node.js.
 *
 * Ownership: one per worker; it knows what this process has loaded before.
 *
 * I1 After `forget`, CommonJS files below the folder are evaluated anew.
 * I2 An ES module from before the last `forget` is never handed out again as if it were new: its side effects, the
 *    registrations, would be missing.
 */
import { createRequire } from 'node:module';
import { dirname, extname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { workerErrors } from '../errors.ts';
import { moduleTypeOf } from './package-json.ts';

/** Ports to the module system. */
export interface ModuleLoaderDeps {
  readonly importModule: (url: string) => Promise<unknown>;
  /** Makes `import '@azure/functions-core'` work; called at most once. */
  readonly enableCoreModuleImports: () => void;
}

export interface ModuleLoader {
  /** The exports of a file, given by its absolute path. */
  load(file: string): Promise<unknown>;
  /** Makes files below the folder load anew. */
  forget(directory: string): void;
}

/** CommonJS asked for something that only `import` can load. */
const needsImport: ReadonlySet<unknown> = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE']);

export function createModuleLoader(deps: ModuleLoaderDeps): ModuleLoader {
  const require = createRequire(pathToFileURL(process.execPath));
  const imported = new Map<string, 'fresh' | 'stale'>();
  let coreModule: 'hidden' | 'importable' = 'hidden';

  const importFile = async (file: string): Promise<unknown> => {
    const url = pathToFileURL(file).href;
    if (imported.get(url) === 'stale') throw workerErrors.create('ENTRY_POINT_LOADED_BEFORE', { file });
    imported.set(url, 'fresh');
    try {
      return await deps.importModule(url);
    } catch (thrown) {
      if (!lacksCoreModule(thrown) || coreModule === 'importable') throw thrown;
      coreModule = 'importable';
      deps.enableCoreModuleImports();
      // Nothing was evaluated: linking failed. The query gives the whole graph new names, because Node.js remembers
      // that the old ones failed.
      return await deps.importModule(`${url}?${coreModuleQuery}`);
    }
  };

  return {
    async load(file) {
      if (isModule(file)) return await importFile(file);
      try {
        return require(file);
      } catch (thrown) {
        if (!needsImport.has(codeOf(thrown))) throw thrown;
        return await importFile(file);
      }
    },
    forget(directory) {
      const prefix = directory.endsWith(sep) ? directory : directory + sep;
      for (const file of Object.keys(require.cache)) {
        // A native addon cannot be loaded twice.
        if (file.startsWith(prefix) && extname(file) !== '.node') delete require.cache[file];
      }
      for (const url of imported.keys()) imported.set(url, 'stale');
    },
  };
}

/** Marks the second names of modules that could not be linked the first time. */
export const coreModuleQuery = 'with-functions-core';

function isModule(file: string): boolean {
  const extension = extname(file);
  if (extension === '.mjs' || extension === '.mts') return true;
  if (extension === '.cjs' || extension === '.cts') return false;
  return moduleTypeOf(dirname(file)) === 'module';
}

function lacksCoreModule(thrown: unknown): boolean {
  return codeOf(thrown) === 'ERR_MODULE_NOT_FOUND' && String(thrown).includes("'@azure/functions-core'");
}

function codeOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
}
