/** A job service over the mock engine, on virtual time. */

import type { JobRequestInput } from '@switchyard/protocol/job-api';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { AgentMetrics } from '../agent-metrics.ts';
import { defaultAgentSettings } from '../config/agent-settings.ts';
import type { JobPolicy } from '../config/job-policy.ts';
import type { TaskDriver } from '../driver/contract.ts';
import { MockDriver, MockEngine } from '../driver/mock/mock-driver.ts';
import type { Workspaces } from '../execution/workspaces.ts';
import type { Job } from '../jobs/job.ts';
import { JobService, type JobServiceOptions } from '../jobs/job-service.ts';
import type { JobStore } from '../jobs/job-store.ts';
import { MemoryJobStore } from '../jobs/memory-job-store.ts';
import { sampleBody } from './sample-job.ts';

export interface AgentBenchOptions {
  readonly clock?: VirtualClock;
  readonly engine?: MockEngine;
  readonly store?: JobStore;
  readonly driver?: TaskDriver;
  readonly workspaces?: FakeWorkspaces;
  readonly policy?: Partial<JobPolicy>;
  readonly scheduling?: Partial<JobServiceOptions['scheduling']>;
  readonly retention?: Partial<JobServiceOptions['retention']>;
}

/** Workspaces that exist in a list alone. */
export class FakeWorkspaces implements Workspaces {
  readonly folders = new Set<string>();

  async create(jobId: string): Promise<string> {
    this.folders.add(jobId);
    return this.pathOf(jobId);
  }

  pathOf(jobId: string): string {
    return `/workspaces/${jobId}`;
  }

  async remove(jobId: string): Promise<void> {
    this.folders.delete(jobId);
  }

  async sweep(kept: () => Iterable<string>): Promise<void> {
    for (const jobId of this.folders) if (![...kept()].includes(jobId)) this.folders.delete(jobId);
  }
}

export class AgentBench {
  readonly clock: VirtualClock;
  readonly engine: MockEngine;
  readonly store: JobStore;
  readonly workspaces: FakeWorkspaces;
  readonly metrics = new AgentMetrics();
  readonly log: MemoryLog;
  readonly service: JobService;

  constructor({
    clock = new VirtualClock(),
    engine,
    store,
    driver,
    workspaces: given,
    policy,
    scheduling,
    retention,
  }: AgentBenchOptions = {}) {
    this.clock = clock;
    this.engine = engine ?? new MockEngine(clock);
    this.store = store ?? new MemoryJobStore();
    this.workspaces = given ?? new FakeWorkspaces();
    this.log = createMemoryLog(clock);
    const { clock: time, workspaces, metrics, log } = this;
    const deps = {
      driver: driver ?? new MockDriver(this.engine),
      store: this.store,
      workspaces,
      clock: time,
      metrics,
      log,
    };
    this.service = new JobService(
      { ...deps, random: createSeededRandom(1) },
      {
        policy: { ...defaultAgentSettings, ...policy },
        scheduling: { maxConcurrentJobs: 4, maxPods: 4, maxQueued: 1_000, fairness: 'fifo', ...scheduling },
        running: {
          pullPolicy: 'missing',
          readOnlyRoot: true,
          user: undefined,
          temporaryMb: 16,
          stopGraceMs: 5_000,
          prepareMs: 60_000,
          enginePatienceMs: 30_000,
        },
        retention: { maxJobs: 1_000, maxAgeMs: 86_400_000, maxOutputBytes: 10_000_000, ...retention },
      },
    );
  }

  /** Submits a job that runs a command of the mock engine. */
  submit(id: string, cmd: readonly string[], overrides: { runtime?: object; labels?: Record<string, string> } = {}) {
    const { runtime, ...rest } = overrides;
    const body = sampleBody(id, {
      ...rest,
      runtime: { cmd: [...cmd], ...runtime } as Partial<JobRequestInput['runtime']>,
    });
    return this.service.submit(body);
  }

  /** The job as it is kept. */
  job(id: string): Job {
    const job = this.store.get(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    return job;
  }
}
