/**
 * Puts `@azure/functions-core` into the module system, where no package of that name exists.
 *
 * `require` is wrapped once and costs one comparison per call. `import` needs loader hooks, which slow every module
 * down by some 20 microseconds, so they come only when an app imports the module and Node.js does not find it.
 */
import * as nodeModule from 'node:module';
import { coreModuleQuery } from '../app/module-loader.ts';
import type { CoreModule } from './core-module.ts';

export const coreModuleId = '@azure/functions-core';

/** Where the generated ES module finds the API. */
const globalName = 'switchyard.functions-core';

/** The ES module that stands for it; hostVersion is known whenever an app is loaded. */
const source = [
  `const core = globalThis[Symbol.for('${globalName}')];`,
  `export const { version, hostVersion, registerFunction, registerHook, setProgrammingModel, getProgrammingModel, log,`,
  `  Disposable } = core;`,
  `export { core as default };`,
].join('\n');

const moduleUrl = `data:text/javascript,${encodeURIComponent(source)}`;

/** Hooks for Node.js 20, where they run in a thread of their own. */
const threadHooks = `
export async function resolve(specifier, context, next) {
  if (specifier === '${coreModuleId}') return { url: ${JSON.stringify(moduleUrl)}, format: 'module', shortCircuit: true };
  return rename(await next(specifier, context), context);
}
function rename(found, { parentURL }) {
  if (!parentURL?.endsWith('?${coreModuleQuery}') || !found.url.startsWith('file:') || found.format !== 'module') return found;
  return { ...found, url: found.url + '?${coreModuleQuery}' };
}`;

interface Resolution {
  url: string;
  format?: string | null | undefined;
}

type ResolveHook = (
  specifier: string,
  context: { parentURL?: string | undefined },
  next: (specifier: string, context: object) => Resolution,
) => Resolution & { shortCircuit?: boolean };

/** The parts of `node:module` that not every supported version has. */
interface ModuleApi {
  registerHooks?: (hooks: { resolve: ResolveHook }) => unknown;
  register?: (specifier: string) => void;
}

/** Installs the module for `require`. Returns what takes it out again. */
export function installCoreModule(core: CoreModule): () => void {
  const prototype = nodeModule.Module.prototype as { require: (this: unknown, id: string) => unknown };
  const original = prototype.require;
  prototype.require = function require(id) {
    return id === coreModuleId ? core : original.call(this, id);
  };
  Reflect.set(globalThis, Symbol.for(globalName), core);
  return () => {
    prototype.require = original;
    Reflect.deleteProperty(globalThis, Symbol.for(globalName));
  };
}

/** Makes `import` find the module too. To be called at most once per process. */
export function enableCoreModuleImports(): void {
  const api = nodeModule as unknown as ModuleApi;
  if (api.registerHooks) api.registerHooks({ resolve: resolveCoreModule });
  else api.register?.(`data:text/javascript,${encodeURIComponent(threadHooks)}`);
}

const resolveCoreModule: ResolveHook = (specifier, context, next) => {
  if (specifier === coreModuleId) return { url: moduleUrl, format: 'module', shortCircuit: true };
  const found = next(specifier, context);
  const renamed = context.parentURL?.endsWith(`?${coreModuleQuery}`) && found.url.startsWith('file:');
  return renamed && found.format === 'module' ? { ...found, url: `${found.url}?${coreModuleQuery}` } : found;
};
