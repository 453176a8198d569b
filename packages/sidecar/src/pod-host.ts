/**
 * Starts and supervises the workers of a single machine, many apps at once: the first implementation of WorkerSupply.
 *
 * Ownership: the composition root owns the pod host; the pod host owns every worker process.
 *
 * I1 An observer hears `expected` for each worker that is there when it begins to watch, and every event from then on.
 * I2 An observer that throws harms neither the other observers nor the workers.
 * I3 After `close` no worker process is left, and no wish is taken.
 */
import { type Clock, type Log, messageOf, type Random, settlesWithin } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { SupplyEvent, WorkerSupply } from '@switchyard/protocol';
import { ApplicationWorkers } from './application-workers.ts';
import type { LaunchSource } from './contract.ts';
import { defaultPodHostLimits, type PodHostLimits } from './limits.ts';
import type { ProcessPort } from './process-port.ts';
import { StartGate } from './start-gate.ts';

export interface PodHostDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly launches: LaunchSource;
  readonly processes: ProcessPort;
}

export interface PodHostOptions {
  /** Where the Runtime's gRPC server listens. */
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly limits?: Partial<PodHostLimits>;
}

export interface PodHost extends WorkerSupply {
  /** Ends every worker; those that are still there after `deadlineMs` are killed. Resolves when all are gone. */
  close(deadlineMs: number): Promise<void>;
}

/** After SIGKILL the kernel decides; how long `close` waits for it. */
const killWaitMs = 2_000;

/** Makes a pod host. Nothing runs before the first `ensure`. */
export function createPodHost(deps: PodHostDeps, options: PodHostOptions): PodHost {
  const limits = { ...defaultPodHostLimits, ...options.limits };
  const gate = new StartGate(limits.maxConcurrentStarts, limits.maxWaitingStarts);
  const applications = new Map<string, { definition: ApplicationDefinition; workers: ApplicationWorkers }>();
  const observers = new Set<(event: SupplyEvent) => void>();
  let closing: Promise<void> | undefined;

  const tell = (observer: (event: SupplyEvent) => void, event: SupplyEvent): void => {
    try {
      observer(event);
    } catch (error) {
      deps.log.write('error', 'An observer of the pod host failed', { event: event.kind, error: messageOf(error) });
    }
  };
  const emit = (event: SupplyEvent): void => {
    for (const observer of [...observers]) tell(observer, event);
  };
  const workersOf = (application: ApplicationDefinition): ApplicationWorkers => {
    const key = [application.applicationId, application.metadataVersion, application.codeVersion].join(':');
    const known = applications.get(key);
    if (known !== undefined) return known.workers;
    const log = deps.log.child({ category: 'Host.PodHost', applicationId: application.applicationId });
    const { endpoint } = options;
    const onIdle = (): boolean => applications.delete(key);
    const workers = new ApplicationWorkers({ ...deps, log, gate }, { application, endpoint, limits, emit, onIdle });
    applications.set(key, { definition: application, workers });
    return workers;
  };
  const closeAll = async (deadlineMs: number): Promise<void> => {
    const ended = Promise.all([...applications.values()].map(({ workers }) => workers.close(deadlineMs)));
    const inTime = await settlesWithin(deps.clock, deadlineMs + killWaitMs + limits.consoleDrainMs, ended);
    if (!inTime) deps.log.write('error', 'Some worker processes did not end, not even when killed');
  };

  return {
    ensure(request) {
      if (closing === undefined) workersOf(request.application).wish(request);
    },
    release(workerId, reason) {
      for (const { workers } of applications.values()) if (workers.release(workerId, reason)) return;
    },
    watch(observer) {
      observers.add(observer);
      for (const { definition, workers } of applications.values())
        for (const workerId of workers.workerIds)
          tell(observer, { kind: 'expected', workerId, application: definition });
      return () => observers.delete(observer);
    },
    close(deadlineMs) {
      closing ??= closeAll(deadlineMs);
      return closing;
    },
  };
}
