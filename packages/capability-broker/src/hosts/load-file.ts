import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { LoadedModule } from './capability-host.ts';
import type { CapabilityFunction, CapabilityInstance, CapabilityModule } from './capability-module.ts';
import type { LoadOrder } from './host-contract.ts';

/** Loads a capability into a thread or a process of its own, which ends with it: any module, or WebAssembly. */
export async function loadFile(order: LoadOrder): Promise<LoadedModule> {
  const path = order.entry ?? '';
  const instance = order.kind === 'wasm' ? await loadWebAssembly(path) : await loadModule(path, order);
  return {
    instance,
    reclaim: async () => ({ outcome: 'leaked', detail: 'Node.js keeps modules until the thread or process ends' }),
  };
}

async function loadModule(path: string, order: LoadOrder): Promise<CapabilityInstance> {
  // A script needs no loader of modules, whose start takes longer than most scripts do.
  const module: Partial<CapabilityModule> = path.endsWith('.cjs')
    ? createRequire(path)(path)
    : await import(pathToFileURL(path).href);
  if (typeof module.create !== 'function') throw new Error("it exports no function 'create'");
  const { name, version, shard, config, statePath } = order;
  return module.create({ name, version, shard, config, statePath });
}

/** The exported functions of a WebAssembly module that imports nothing, as methods on numbers. */
async function loadWebAssembly(path: string): Promise<CapabilityInstance> {
  const { instance } = await webAssembly.instantiate(await readFile(path), {});
  const methods: Record<string, CapabilityFunction> = {};
  for (const [name, exported] of Object.entries(instance.exports))
    if (typeof exported === 'function') methods[name] = (_call, ...values) => exported(...values);
  return { methods };
}

/** The part of the global that is used; its types come with those of browsers, which this package does without. */
interface WebAssemblyGlobal {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ readonly instance: { readonly exports: Readonly<Record<string, unknown>> } }>;
}

const { WebAssembly: webAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal };
