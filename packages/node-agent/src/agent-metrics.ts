/**
 * What an agent counts, and its page in the Prometheus text format.
 *
 * I1 Every label has few values: states and error codes, never ids.
 * I2 The buckets of a distribution grow, and the last one holds every observation.
 */
import type { JobErrorCode, JobState } from '@switchyard/protocol/job-api';
import type { Job } from './jobs/job.ts';

/** Upper bounds in seconds. */
const bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600] as const;

const secondMs = 1_000;

export class AgentMetrics {
  readonly #rejected = new Map<JobErrorCode, number>();
  readonly #failed = new Map<JobErrorCode, number>();
  readonly #duration = new Distribution();
  readonly #wait = new Distribution();
  #accepted = 0;
  #finished = 0;

  accepted(): void {
    this.#accepted += 1;
  }

  rejected(code: JobErrorCode): void {
    increase(this.#rejected, code);
  }

  ended(job: Job): void {
    if (job.error === null) this.#finished += 1;
    else increase(this.#failed, job.error.code);
    if (job.startedAtMs === null || job.finishedAtMs === null) return;
    this.#wait.observe((job.startedAtMs - job.createdAtMs) / secondMs);
    this.#duration.observe((job.finishedAtMs - job.startedAtMs) / secondMs);
  }

  /** The page; `levels` are measurements of this moment by name, `states` the jobs that are kept by state. */
  toText(levels: Readonly<Record<string, number | undefined>>, states: Readonly<Record<JobState, number>>): string {
    const page: string[] = [];
    const family = (name: string, kind: string, help: string, samples: readonly string[]): void => {
      page.push(`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} ${kind}`, ...samples);
    };
    const byCode = (name: string, counts: ReadonlyMap<JobErrorCode, number>): string[] =>
      [...counts].sort().map(([code, count]) => `${prefix}${name}{code="${code}"} ${count}`);
    family('jobs_accepted_total', 'counter', 'Jobs accepted.', [`${prefix}jobs_accepted_total ${this.#accepted}`]);
    family('jobs_rejected_total', 'counter', 'Jobs rejected, by code.', byCode('jobs_rejected_total', this.#rejected));
    family('jobs_finished_total', 'counter', 'Jobs that finished.', [`${prefix}jobs_finished_total ${this.#finished}`]);
    family('jobs_failed_total', 'counter', 'Jobs that failed, by code.', byCode('jobs_failed_total', this.#failed));
    family('job_duration_seconds', 'histogram', 'From start to end.', this.#duration.samples('job_duration_seconds'));
    family('job_wait_seconds', 'histogram', 'From acceptance to start.', this.#wait.samples('job_wait_seconds'));
    const kept = Object.entries(states).map(([state, count]) => `${prefix}jobs{state="${state}"} ${count}`);
    family('jobs', 'gauge', 'Jobs that the agent keeps, by state.', kept);
    for (const [name, value] of Object.entries(levels))
      if (value !== undefined) family(name, 'gauge', helpOf(name), [`${prefix}${name} ${value}`]);
    return `${page.join('\n')}\n`;
  }
}

const prefix = 'switchyard_agent_';

function helpOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function increase(counts: Map<JobErrorCode, number>, code: JobErrorCode): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}

class Distribution {
  readonly #counts: number[] = bounds.map(() => 0);
  #count = 0;
  #sum = 0;

  observe(value: number): void {
    this.#count += 1;
    this.#sum += value;
    for (const [index, bound] of bounds.entries())
      if (value <= bound) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  samples(name: string): string[] {
    return [
      ...bounds.map((bound, index) => `${prefix}${name}_bucket{le="${bound}"} ${this.#counts[index]}`),
      `${prefix}${name}_bucket{le="+Inf"} ${this.#count}`,
      `${prefix}${name}_sum ${this.#sum}`,
      `${prefix}${name}_count ${this.#count}`,
    ];
  }
}
