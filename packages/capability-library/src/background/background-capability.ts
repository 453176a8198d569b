import type { Clock, Random } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { copyJson } from '../json/json-value.ts';
import { type ThreadPrograms, threadPrograms } from '../library-files.ts';
import { asInteger, asName, asOneOf, asRecord, fieldOf } from '../parameters.ts';
import { TaskThreads } from '../threads/task-threads.ts';
import { deliver } from '../web/deliver.ts';
import { createGuardedAgent, type GuardedAgentDeps } from '../web/guarded-agent.ts';
import { parseWebOptions } from '../web/web-options.ts';
import { JobRunner, type JobWork } from './job-runner.ts';
import { type JobStatus, JobStore } from './job-store.ts';
import { JobWaiters } from './job-waiters.ts';

/** How a job is to be run. */
export interface SubmitOptions {
  /** Not before so many milliseconds have passed. */
  readonly delayMs?: number;
  /** How often it may be begun; 5 when left out. */
  readonly maxAttempts?: number;
  /** Submitting the same key again returns the first job. */
  readonly key?: string;
}

/** What `background` does, for callers in TypeScript. */
export interface Background {
  /** Kinds of jobs: `csv.summary`, `text.words`, `web.deliver`. */
  kinds(): PromiseLike<string[]>;
  /** Queues a job and returns its id. It runs whether or not anybody waits, also after a restart. */
  submit(kind: string, payload: unknown, options?: SubmitOptions): PromiseLike<string>;
  status(id: string): PromiseLike<JobStatus>;
  /** Waits until the job has ended. */
  wait(id: string): PromiseLike<JobStatus>;
  /** Stops a job; false when it had ended already. */
  cancel(id: string): PromiseLike<boolean>;
  /** The account's jobs, newest first. */
  list(limit?: number): PromiseLike<JobStatus[]>;
}

export interface BackgroundDeps extends GuardedAgentDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly programs?: Pick<ThreadPrograms, 'background'>;
}

const defaults = {
  concurrency: 4,
  maxAttemptMs: 60_000,
  retryMinimumMs: 1_000,
  maxOpenPerAccount: 1_000,
  keptHours: 24,
  maxHeapMb: 256,
};
const defaultAttempts = 5;
const maxAttempts = 20;
const maxDelayMs = 30 * 24 * 3_600_000;
const maxListed = 1_000;

/**
 * `background`, tier 3: jobs that outlive their caller. They stand in the shard's SQLite state, are begun at least once,
 * and are tried again when a failure may pass. Deliveries obey the same address rules as `web`; the rest runs in threads.
 */
export function createBackgroundCapability(deps: BackgroundDeps): CapabilityModule {
  const { programs = threadPrograms } = deps;
  return {
    create({ name, config, statePath }): CapabilityInstance {
      const number = (field: keyof typeof defaults): number => {
        const value = fieldOf(config, field) ?? defaults[field];
        if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
        const reason = `${field} must be a whole number above 0`;
        throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason });
      };
      const concurrency = number('concurrency');
      const webOptions = parseWebOptions({ name, config: asRecord(fieldOf(config, 'web'), 'web') });
      const agent = createGuardedAgent(deps, webOptions);
      const threads = new TaskThreads(deps, {
        ...{ program: programs.background, size: concurrency, maxWaiting: concurrency },
        ...{ maxTaskMs: number('maxAttemptMs'), maxHeapMb: number('maxHeapMb') },
      });
      const inThread = (task: string): JobWork => {
        return (payload, signal) => threads.run({ task, parameters: [payload] }, signal);
      };
      const kinds = new Map<string, JobWork>([
        ['csv.summary', inThread('csv.summary')],
        ['text.words', inThread('text.words')],
        ['web.deliver', (payload, signal) => deliver({ clock: deps.clock, agent }, webOptions, payload, signal)],
      ]);
      const store = new JobStore(deps, {
        ...{ path: statePath ?? ':memory:', maxOpenPerAccount: number('maxOpenPerAccount') },
        keptHours: number('keptHours'),
      });
      const runner = new JobRunner(
        { ...deps, store, kinds },
        { concurrency, maxAttemptMs: number('maxAttemptMs'), retryMinimumMs: number('retryMinimumMs') },
      );
      const waiters = new JobWaiters(deps.clock, store);
      runner.wake();
      return {
        methods: methodsOf({ store, runner, waiters, clock: deps.clock, kinds: [...kinds.keys()] }),
        dispose: async () => {
          runner.close();
          await threads.close();
          await agent.destroy();
          store.close();
        },
      };
    },
  };
}

interface Parts {
  readonly store: JobStore;
  readonly runner: JobRunner;
  readonly waiters: JobWaiters;
  readonly clock: Clock;
  readonly kinds: readonly string[];
}

function methodsOf({ store, runner, waiters, clock, kinds }: Parts): CapabilityInstance['methods'] {
  const idOf = (value: unknown): string => asName(value, 'The job');
  return {
    kinds: () => [...kinds],
    submit: ({ account }: CallContext, kind: unknown, payload: unknown, given: unknown): string => {
      const options = asRecord(given, 'The options');
      const key = fieldOf(options, 'key');
      store.purge();
      const id = store.submit(account, {
        kind: asOneOf(kind, 'The kind', kinds),
        payload: copyJson(payload, 'The payload'),
        dueAtMs: clock.now() + asInteger(fieldOf(options, 'delayMs') ?? 0, 'delayMs', 0, maxDelayMs),
        maxAttempts: asInteger(fieldOf(options, 'maxAttempts') ?? defaultAttempts, 'maxAttempts', 1, maxAttempts),
        key: key === undefined ? undefined : asName(key, 'The key'),
      });
      runner.wake();
      return id;
    },
    status: ({ account }: CallContext, id: unknown) => store.status(account, idOf(id)),
    wait: ({ account, signal }: CallContext, id: unknown) => waiters.wait(account, idOf(id), signal),
    cancel: ({ account }: CallContext, id: unknown): boolean => {
      const cancelled = store.cancel(account, idOf(id));
      runner.cancelled(idOf(id));
      return cancelled;
    },
    list: ({ account }: CallContext, limit: unknown) =>
      store.list(account, asInteger(limit ?? maxListed, 'The limit', 1, maxListed)),
  };
}
