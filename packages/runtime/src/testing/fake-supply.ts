import type { ApplicationDefinition } from '@switchyard/model';
import type { ReleaseReason, SupplyEvent, SupplyRequest, WorkerSupply } from '@switchyard/protocol';

/** A supply that starts nothing by itself: a test announces workers and their ends. */
export class FakeSupply implements WorkerSupply {
  readonly requests: SupplyRequest[] = [];
  readonly released: { readonly workerId: string; readonly reason: ReleaseReason }[] = [];
  /** Called for every wish, after it was recorded. */
  onEnsure: (request: SupplyRequest) => void = () => {};
  /** Called for every release, after it was recorded. */
  onRelease: (workerId: string, reason: ReleaseReason) => void = () => {};
  readonly #observers = new Set<(event: SupplyEvent) => void>();

  ensure(request: SupplyRequest): void {
    this.requests.push(request);
    this.onEnsure(request);
  }

  release(workerId: string, reason: ReleaseReason): void {
    this.released.push({ workerId, reason });
    this.onRelease(workerId, reason);
  }

  watch(observer: (event: SupplyEvent) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  emit(event: SupplyEvent): void {
    for (const observer of this.#observers) observer(event);
  }

  expect(workerId: string, application: ApplicationDefinition): void {
    this.emit({ kind: 'expected', workerId, application });
  }

  exit(workerId: string, exitCode: number | null = 1, stderrTail: readonly string[] = []): void {
    this.emit({ kind: 'exited', workerId, exitCode, signal: exitCode === null ? 'SIGKILL' : null, stderrTail });
  }

  get watchers(): number {
    return this.#observers.size;
  }
}
