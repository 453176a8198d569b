import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import type { Clock } from '@switchyard/kernel';
import type { LoadedModule } from './capability-host.ts';
import type { CapabilityInstance, CapabilityModule } from './capability-module.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { LoadOrder, UnloadReport } from './host-contract.ts';

/**
 * Loads a trusted capability into this process: one CommonJS file. Node.js never forgets an imported ES module, but a
 * script that nothing refers to any more is collected, so this can really be unloaded; `reclaim` proves it.
 *
 * It shares the heap and every right of the process: for code of the operator only.
 */
export async function loadScript(clock: Clock, order: LoadOrder): Promise<LoadedModule> {
  const path = order.entry ?? '';
  const holder = { instance: await instantiate(path, await readFile(path, 'utf8'), order) };
  const seen = new WeakRef<object>(holder.instance);
  const instance = holder.instance;
  return { instance, reclaim: () => reclaim(clock, seen) };
}

async function instantiate(path: string, source: string, order: LoadOrder): Promise<CapabilityInstance> {
  const script = new Script(`(function (exports, require, module) {${source}\n})`, { filename: path });
  const module: { exports: Partial<CapabilityModule> } = { exports: {} };
  const run: unknown = script.runInThisContext();
  if (typeof run === 'function') run(module.exports, createRequire(path), module);
  const { create } = module.exports;
  if (typeof create !== 'function') throw new Error("it exports no function 'create'");
  const { name, version, shard, config, statePath } = order;
  return create({ name, version, shard, config, statePath });
}

async function reclaim(clock: Clock, seen: WeakRef<object>): Promise<UnloadReport> {
  const rounds = await collectGarbage(clock, seen);
  if (rounds === undefined)
    return { outcome: 'leaked', detail: 'something outside still refers to it: a timer, a listener or a global' };
  return { outcome: 'unloaded', detail: `its memory came back in ${rounds} rounds of the collector` };
}
