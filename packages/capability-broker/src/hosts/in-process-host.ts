import { type Clock, createDeferred, type Random } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import { CapabilityHost, type LoadedModule } from './capability-host.ts';
import type { CapabilityModule } from './capability-module.ts';
import type { HostConnection, HostEnd, LoadOrder } from './host-contract.ts';
import { loadScript } from './load-script.ts';

export interface InProcessHostDeps {
  readonly clock: Clock;
  readonly random: Pick<Random, 'bytes'>;
  readonly pid: number;
  memoryBytes(): number;
  /** The capabilities that are part of the program, by name. */
  readonly builtins: ReadonlyMap<string, CapabilityModule>;
}

/**
 * A host in the broker's own process: for tier 1, and for trusted capabilities of tier 2. There is nothing between
 * caller and capability but the guard, so it costs almost nothing, and isolates nothing.
 */
export function openInProcessHost(deps: InProcessHostDeps): HostConnection {
  const { clock, random, pid, builtins } = deps;
  const host = new CapabilityHost({
    clock,
    random,
    pid,
    memoryBytes: () => deps.memoryBytes(),
    loadModule: (order) => (order.kind === 'builtin' ? loadBuiltin(builtins, order) : loadScript(clock, order)),
  });
  const ended = createDeferred<HostEnd>();
  return {
    host,
    dedicated: false,
    pid: undefined,
    ended: ended.promise,
    kill: async () => ended.resolve({ reason: 'the broker closed it', expected: true }),
  };
}

async function loadBuiltin(builtins: ReadonlyMap<string, CapabilityModule>, order: LoadOrder): Promise<LoadedModule> {
  const { name, version, shard, config, statePath } = order;
  const module = builtins.get(name);
  if (module === undefined) throw capabilityErrors.create('CAPABILITY_NOT_FOUND', { name });
  const instance = await module.create({ name, version, shard, config, statePath });
  const detail = 'what it held was given back; its code is part of the program';
  return { instance, reclaim: async () => ({ outcome: 'unloaded', detail }) };
}
