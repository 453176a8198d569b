/** One worker of a test's own on the frame: it does what the test says. */
import { silentMeter } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { put } from '../domain/records.ts';
import type { Finding, FrameDeps, Run, Span, Worker, WorkerRule } from '../frame/contract.ts';
import { WorkerHost } from '../frame/worker-host.ts';
import { MemoryState } from './memory-state.ts';
import { sampleEnvironment } from './state-contract.ts';

export const testRule: WorkerRule = {
  ...{ everyMs: 30_000, events: ['RuntimeDeploymentRequested'], maxAttempts: 3, exhausted: 'dead-letter' },
  ...{ idempotencyKey: 'key', emits: [] },
};

export interface FrameRun {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly state: MemoryState;
  readonly spans: Span[];
  readonly deps: FrameDeps;
  readonly looked: string[];
  /** What the next looks find; rest when nothing is left. */
  readonly finds: ((run: Run) => Finding | Promise<Finding>)[];
  readonly worker: Worker;
  readonly gaveUp: string[];
  tickKeys: readonly string[];
  host(rule?: Partial<WorkerRule>): WorkerHost;
}

export async function createFrameRun(): Promise<FrameRun> {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const state = new MemoryState(() => clock.now());
  const quota = { maxServices: 10, maxReplicas: 10 };
  const binding = { environmentId: 'acme.default', tenantId: 'acme', isolationModel: 'pool', quota } as const;
  const puts = [put('environment', sampleEnvironment), put('tenantBinding', binding)];
  await state.commit({ puts, removes: [], events: [] });
  state.writes = 0;
  const spans: Span[] = [];
  const deps: FrameDeps = {
    ...{ clock, random: createSeededRandom(1), log, meter: silentMeter, state },
    spans: { record: (span) => spans.push(span) },
  };
  const run: FrameRun = {
    ...{ clock, log, state, spans, deps, looked: [], finds: [], gaveUp: [], tickKeys: [] },
    worker: {
      name: 'drift',
      keysOf: async ({ subject }) => [subject ?? ''],
      keysOfTick: async () => run.tickKeys,
      async look(look) {
        run.looked.push(look.key);
        return (await run.finds.shift()?.(look)) ?? { kind: 'rest' };
      },
      async giveUp({ key }, reason) {
        run.gaveUp.push(`${key}: ${reason}`);
        return {};
      },
    },
    host: (rule = {}) => new WorkerHost(deps, run.worker, { holder: 'one', rule: { ...testRule, ...rule } }),
  };
  return run;
}

/** Work in the name of the sample tenant. */
export function work(act: Extract<Finding, { kind: 'work' }>['act'], tenantId = 'acme'): Finding {
  return { kind: 'work', what: 'test', tenantId, environmentId: 'acme.default', act };
}
