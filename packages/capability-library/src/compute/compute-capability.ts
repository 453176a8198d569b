import type { Clock, Random } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { type ThreadPrograms, threadPrograms } from '../library-files.ts';
import { asList, asName, asOneOf, fieldOf } from '../parameters.ts';
import { TaskThreads } from '../threads/task-threads.ts';
import { StartedTasks, type TaskState } from './started-tasks.ts';
import { computeTasks } from './task-registry.ts';

/** What `compute` does, for callers in TypeScript. */
export interface Compute {
  /** Names of the tasks that there are. */
  tasks(): PromiseLike<string[]>;
  /** Runs a task to its end. Releasing the lease stops it. */
  run(task: string, parameters: readonly unknown[]): PromiseLike<unknown>;
  /** Starts a task; `result`, `state` and `cancel` take what it returns. It ends with the lease. */
  start(task: string, parameters: readonly unknown[]): PromiseLike<string>;
  state(id: string): PromiseLike<TaskState>;
  /** Waits for the end of a started task. */
  result(id: string): PromiseLike<unknown>;
  /** Stops a started task; false when it had ended already. */
  cancel(id: string): PromiseLike<boolean>;
}

const defaults = { threads: 2, maxWaiting: 100, maxTaskMs: 300_000, maxHeapMb: 256 };
const maxStartedPerLease = 100;

export interface ComputeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly programs?: Pick<ThreadPrograms, 'compute'>;
}

/**
 * `compute`, tier 3: work that keeps processors busy, in threads of a process of its own. Stopping a task ends its thread
 * in the middle of whatever it calculates.
 */
export function createComputeCapability(deps: ComputeDeps): CapabilityModule {
  const { programs = threadPrograms } = deps;
  return {
    create({ name, config }): CapabilityInstance {
      const number = (field: keyof typeof defaults): number => {
        const value = fieldOf(config, field) ?? defaults[field];
        if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
        const reason = `${field} must be a whole number above 0`;
        throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason });
      };
      const threads = new TaskThreads(deps, {
        program: programs.compute,
        size: number('threads'),
        maxWaiting: number('maxWaiting'),
        maxTaskMs: number('maxTaskMs'),
        maxHeapMb: number('maxHeapMb'),
      });
      const started = new StartedTasks(deps, { maxPerLease: maxStartedPerLease });
      return {
        methods: methodsOf(threads, started),
        leaseEnded: (leaseId) => started.endLease(leaseId),
        dispose: async () => {
          started.endAll();
          await threads.close();
        },
      };
    },
  };
}

function methodsOf(threads: TaskThreads, started: StartedTasks): CapabilityInstance['methods'] {
  const names = Object.keys(computeTasks);
  const request = (task: unknown, parameters: unknown) => ({
    task: asOneOf(task, 'The task', names),
    parameters: asList(parameters ?? [], 'The parameters', 16),
  });
  return {
    tasks: () => names,
    run: (call: CallContext, task: unknown, parameters: unknown) => threads.run(request(task, parameters), call.signal),
    start: (call: CallContext, task: unknown, parameters: unknown): string => {
      const asked = request(task, parameters);
      return started.start(call.leaseId, asked.task, (signal, begun) => threads.run(asked, signal, begun));
    },
    state: (call: CallContext, id: unknown) => started.state(call.leaseId, asName(id, 'The task')),
    result: (call: CallContext, id: unknown) => started.result(call.leaseId, asName(id, 'The task'), call.signal),
    cancel: (call: CallContext, id: unknown) => started.cancel(call.leaseId, asName(id, 'The task')),
  };
}
