import { createDeferred, type PlatformError } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Assignment, AssignOutcome, Pod, PodEnd, PodProvider } from '@switchyard/protocol';
import { scaleErrors } from '../errors.ts';

export const nodeStack: Stack = { runtime: 'node', version: '24', architecture: 'x64' };

/** A pod that does what a test tells it. */
export class FakePod implements Pod {
  readonly workerId: string;
  readonly stack: Stack;
  readonly assigned: Assignment[] = [];
  readonly stops: number[] = [];
  /** What an assignment comes to. */
  outcome: AssignOutcome | Promise<AssignOutcome> = { kind: 'assigned' };
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<PodEnd>();

  constructor(workerId: string, stack: Stack) {
    this.workerId = workerId;
    this.stack = stack;
  }

  get warm(): Promise<void> {
    return this.#warm.promise;
  }

  get ended(): Promise<PodEnd> {
    return this.#ended.promise;
  }

  async assign(assignment: Assignment): Promise<AssignOutcome> {
    this.assigned.push(assignment);
    return await this.outcome;
  }

  stop(graceMs: number): void {
    this.stops.push(graceMs);
    this.end(null, 'SIGTERM');
  }

  becomeWarm(): void {
    this.#warm.resolve();
  }

  failToWarm(reason: string): void {
    this.#warm.reject(new Error(reason));
    this.end(1);
  }

  end(exitCode: number | null, signal: string | null = null, stderrTail: readonly string[] = []): void {
    this.#warm.reject(new Error('the pod ended'));
    this.#ended.resolve({ exitCode, signal, stderrTail, error: undefined });
  }
}

/** A provider of fake pods; they become warm by themselves unless a test wants to say when. */
export class FakeProvider implements PodProvider {
  readonly pods: FakePod[] = [];
  warmsByItself = true;

  startPod(stack: Stack): FakePod {
    const pod = new FakePod(`w${this.pods.length + 1}`, stack);
    this.pods.push(pod);
    if (this.warmsByItself) pod.becomeWarm();
    return pod;
  }

  at(index: number): FakePod {
    const found = this.pods[index];
    if (found === undefined) throw new Error(`only ${this.pods.length} pods were started`);
    return found;
  }
}

export function failedOutcome(reason: string): AssignOutcome {
  const error: PlatformError = scaleErrors.create('SCALE_WORKER_FAILED', { applicationId: 'shop', reason });
  return { kind: 'failed', error, tainted: true };
}
