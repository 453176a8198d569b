/** Late binding: the sidecar is the placeholder's host, and no Runtime hears of the worker before it has its app. */
import { type ConnectOutcome, connectRuntime } from './connect-runtime.ts';
import type { SidecarLimits } from './limits.ts';
import type { LocalWorker } from './local-worker.ts';
import type { BindingHooks, RuntimeBinding } from './runtime-binding.ts';
import type { SidecarDeps, SidecarOptions } from './sidecar-contract.ts';
import { type AssignedApp, type SpecializedWorker, specialize, type WorkerDescription, warmUp } from './specialize.ts';
import { toWorkerContext } from './to-worker-context.ts';

export function createLateBinding(
  deps: SidecarDeps,
  options: SidecarOptions,
  limits: SidecarLimits,
  hooks: BindingHooks,
): RuntimeBinding {
  return {
    warmUp: (worker: LocalWorker): Promise<WorkerDescription> => warmUp(worker, options, limits),
    specialize: (worker: LocalWorker, placeholder: WorkerDescription, app: AssignedApp): Promise<SpecializedWorker> =>
      specialize(worker, placeholder, app, options, limits),
    async connect(worker: LocalWorker, app: SpecializedWorker): Promise<ConnectOutcome> {
      const outcome = await connectRuntime(deps, {
        worker,
        app,
        context: toWorkerContext(options, app.assignment, hooks.nextEpoch()),
        relay: hooks.relay,
        responseTimeoutMs: limits.connectResponseMs,
        onOpen: (relay) => hooks.onOpen(relay),
      });
      if (outcome.kind !== 'connected') hooks.onOpen(undefined);
      return outcome;
    },
  };
}
