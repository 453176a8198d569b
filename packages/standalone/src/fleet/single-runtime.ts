import type { RuntimeList } from '@switchyard/protocol/control-api';
import type { Runtime } from '@switchyard/runtime';
import { memoryUtilization } from '../runtime/memory-utilization.ts';

/** The list of Runtimes where there is the one of this process alone; each app has its own limit of workers there. */
export function toSingleRuntime(runtime: Pick<Runtime, 'status'>, region: string | undefined): RuntimeList {
  const jobHosts = runtime.status();
  const listening = jobHosts
    .filter(({ versions }) => versions.some(({ weight }) => weight > 0))
    .flatMap(({ functions }) => functions)
    .filter(({ trigger, disabled }) => !disabled && trigger.toLowerCase() !== 'httptrigger');
  return {
    maximum: 1,
    runtimes: [
      {
        ...{ id: 'local', kind: 'local', state: 'ready', maxWorkers: workersPerApp },
        ...(region === undefined ? {} : { region }),
        applications: [...new Set(jobHosts.map(({ applicationId }) => applicationId))].sort(),
        workers: jobHosts.reduce((sum, { workers }) => sum + workers.length, 0),
        listeners: listening.length,
        memoryUtilization: Math.round(memoryUtilization() * 1_000) / 1_000,
      },
    ],
  };
}

const workersPerApp = 20;
