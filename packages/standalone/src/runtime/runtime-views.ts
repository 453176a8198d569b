import type { Runtime } from '@switchyard/runtime';
import { memoryUtilization } from './memory-utilization.ts';
import type { ControlledRuntime } from './runtime-control.ts';
import { judgeHealth } from './runtime-health.ts';

/** What the control API asks a Runtime of this process itself, once the port for workers is open. */
export function createRuntimeViews(
  runtime: Runtime,
): Pick<ControlledRuntime, 'health' | 'status' | 'placeholders' | 'restartWorker'> {
  return {
    health: () =>
      judgeHealth({
        isListening: true,
        jobHosts: runtime.status(),
        placeholders: runtime.placeholders(),
        memoryUtilization: memoryUtilization(),
      }),
    status: () => runtime.status(),
    placeholders: () => runtime.placeholders(),
    restartWorker: (workerId, wish) => runtime.restartWorker(workerId, wish),
  };
}
