/**
 * Decides when jobs start: first come, first served within the places there are, or fairly between masters.
 *
 * Ownership: the job service offers, withdraws and tells of ends; the scheduler calls `start` and nothing else.
 *
 * I1 Never more jobs run than there are places, nor more pods.
 * I2 A job is started at most once, and only while it waits.
 * I3 With `fifo`, jobs start in the order in which they were offered.
 * I4 Never more than `maxQueued` jobs wait; `offer` says no instead.
 * I5 A place that becomes free is filled at once when a job waits for it.
 * I6 With `master`, a master that waits is served again before another one is served twice, at equal running jobs.
 */
import { type Lane, pickNext, type WaitingJob } from './pick-next.ts';

export interface SchedulerOptions {
  readonly maxConcurrentJobs: number;
  readonly maxPods: number;
  readonly maxQueued: number;
  readonly fairness: 'fifo' | 'master';
}

export class Scheduler {
  readonly #start: (jobId: string) => void;
  readonly #options: SchedulerOptions;
  /** In the order of arrival. */
  readonly #waiting = new Map<string, WaitingJob>();
  readonly #running = new Map<string, WaitingJob>();
  readonly #runningByMaster = new Map<string, number>();
  readonly #served = new Map<string, number>();
  #turn = 0;
  #filling = false;
  #paused = false;

  constructor(start: (jobId: string) => void, options: SchedulerOptions) {
    this.#start = start;
    this.#options = options;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size >= this.#options.maxQueued;
  }

  running(lane: Lane): number {
    let count = 0;
    for (const job of this.#running.values()) if (job.lane === lane) count += 1;
    return count;
  }

  /** Adds a waiting job, and starts it when there is a place. False when too many wait. */
  offer(job: WaitingJob): boolean {
    if (this.isFull) return false;
    this.readmit(job);
    return true;
  }

  /** The same for a job that was accepted by an earlier run of the agent: no limit turns it away. */
  readmit(job: WaitingJob): void {
    if (this.#running.has(job.id)) return;
    this.#waiting.set(job.id, job);
    this.#fill();
  }

  /** Counts a job that runs already. */
  adopt(job: WaitingJob): void {
    this.#waiting.delete(job.id);
    this.#enter(job);
  }

  /** Takes a job out of the queue; false when it does not wait. */
  withdraw(jobId: string): boolean {
    const removed = this.#waiting.delete(jobId);
    this.#forgetMasters();
    return removed;
  }

  /** Frees the place of a job that ended. */
  ended(jobId: string): void {
    const job = this.#running.get(jobId);
    if (job === undefined) return;
    this.#running.delete(jobId);
    const count = (this.#runningByMaster.get(job.master) ?? 1) - 1;
    if (count > 0) this.#runningByMaster.set(job.master, count);
    else this.#runningByMaster.delete(job.master);
    this.#forgetMasters();
    this.#fill();
  }

  /** Starts nothing until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#fill();
  }

  #fill(): void {
    // `start` may end a job at once, which fills again.
    if (this.#filling || this.#paused) return;
    this.#filling = true;
    try {
      for (let job = this.#pick(); job !== undefined; job = this.#pick()) {
        this.#waiting.delete(job.id);
        this.#enter(job);
        this.#start(job.id);
      }
    } finally {
      this.#filling = false;
    }
  }

  #pick(): WaitingJob | undefined {
    if (this.#waiting.size === 0) return undefined;
    const { maxConcurrentJobs, maxPods, fairness } = this.#options;
    const freePlaces = { job: maxConcurrentJobs - this.running('job'), pod: maxPods - this.running('pod') };
    if (freePlaces.job <= 0 && freePlaces.pod <= 0) return undefined;
    const waiting = [...this.#waiting.values()];
    return pickNext({ waiting, freePlaces, running: this.#runningByMaster, served: this.#served }, fairness);
  }

  #enter(job: WaitingJob): void {
    this.#running.set(job.id, job);
    this.#runningByMaster.set(job.master, (this.#runningByMaster.get(job.master) ?? 0) + 1);
    this.#turn += 1;
    this.#served.set(job.master, this.#turn);
  }

  /** A master with nothing here is forgotten, so that names do not pile up. */
  #forgetMasters(): void {
    if (this.#served.size <= this.#waiting.size + this.#running.size) return;
    const present = new Set([...this.#waiting.values(), ...this.#running.values()].map(({ master }) => master));
    for (const master of this.#served.keys()) if (!present.has(master)) this.#served.delete(master);
  }
}
