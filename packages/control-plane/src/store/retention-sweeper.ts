/**
 * Removes what outstayed its time from a store, now and then: expired documents, old inbox rows, sent events, audit
 * entries.
 *
 * Ownership: whoever starts it stops it; the store belongs to somebody else.
 *
 * I1 The first sweep comes one interval after the start, the next one an interval after the end of the last.
 * I2 One sweeper works at a time, wherever it runs: the others pass.
 * I3 A sweep that fails is logged, and the next one comes as if it had not.
 * I4 After `stop` nothing is swept any more.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { RetentionPolicy, Store, SweepCounts } from './contract.ts';
import { retentionDefaults } from './limits.ts';

export interface RetentionSweeperDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<Store, 'leases' | 'sweep'>;
}

export interface RetentionSweeperOptions {
  /** Tells this process from others. */
  readonly holder: string;
  readonly everyMs?: number;
  readonly policy?: RetentionPolicy;
}

export interface RetentionSweeper {
  /** Waits for the sweep that is going on. */
  stop(): Promise<void>;
}

const defaultEveryMs = 3_600_000;
const leaseName = 'retention-sweeper';

/** Longer than any sweep takes; a crashed sweeper is replaced after it. */
const leaseMs = 600_000;

/** Starts a sweeper. */
export function startRetentionSweeper(deps: RetentionSweeperDeps, options: RetentionSweeperOptions): RetentionSweeper {
  const { clock } = deps;
  const { everyMs = defaultEveryMs } = options;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const plan = (): void => {
    if (isStopped) return;
    timer = clock.schedule(everyMs, () => {
      running = sweepOnce(deps, options).then(plan);
    });
  };
  plan();
  return {
    stop: async () => {
      isStopped = true;
      timer?.cancel();
      await running;
    },
  };
}

async function sweepOnce({ log, store }: RetentionSweeperDeps, options: RetentionSweeperOptions): Promise<void> {
  try {
    const outcome = await store.leases.acquire(leaseName, options.holder, leaseMs);
    if (outcome.kind === 'taken') return;
    try {
      const counts = await store.sweep(options.policy ?? retentionDefaults);
      if (total(counts) > 0) log.write('information', 'Removed what outstayed its time', { ...counts });
    } finally {
      await store.leases.release(outcome.lease);
    }
  } catch (thrown) {
    log.write('warning', 'What outstayed its time could not be removed', { error: messageOf(thrown) });
  }
}

function total({ documents, inbox, events, audit }: SweepCounts): number {
  return documents + inbox + events + audit;
}
