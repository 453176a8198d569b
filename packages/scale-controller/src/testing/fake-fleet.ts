import { type Clock, createDeferred, sleep } from '@switchyard/kernel';
import type { AssignOutcome } from '@switchyard/protocol';
import type { FleetRequest, PlaceholderPlace, RuntimePlace } from '../fleet/fleet-state.ts';
import type { FleetActions } from '../fleet/scale-out.ts';
import { failedOutcome, nodeStack } from './fake-provider.ts';

/** What happens to a worker that is taken. */
export type Fate = 'serves' | 'untainted' | 'tainted' | 'hangs' | 'throws' | 'does not move';

export interface FakeWorkerPlace {
  readonly workerId: string;
  runtimeId: string;
  application: string | undefined;
  isEnded: boolean;
  fate: Fate;
}

/** Runtimes with placeholders; every action takes a little. */
export class FakeFleet implements FleetActions {
  readonly workers: FakeWorkerPlace[] = [];
  readonly runtimes: string[] = [];
  readonly assignedTwice: string[] = [];
  readonly replenished: string[] = [];
  replenishFails = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(runtimeId: string, count: number, fate: Fate = 'serves'): void {
    if (!this.runtimes.includes(runtimeId)) this.runtimes.push(runtimeId);
    for (let index = 0; index < count; index += 1) {
      const workerId = `w${this.workers.length + 1}`;
      this.workers.push({ workerId, runtimeId, application: undefined, isEnded: false, fate });
    }
  }

  async view() {
    await sleep(this.#clock, 1);
    const runtimes = this.runtimes.map((runtimeId): RuntimePlace => {
      const here = this.workers.filter((worker) => worker.runtimeId === runtimeId && !worker.isEnded);
      const tenantIds = here.some(({ application }) => application !== undefined) ? ['contoso'] : [];
      return {
        ...{ runtimeId, endpoint: `http://${runtimeId}`, region: undefined, maxWorkers: 20, tenantIds },
        ...{ connectedCount: here.length, dedicatedTo: undefined, state: 'ready' },
      };
    });
    const waiting = this.workers.filter(({ application, isEnded }) => application === undefined && !isEnded);
    const placeholders = waiting.map(
      ({ workerId, runtimeId }, index): PlaceholderPlace => ({
        workerId,
        runtimeId,
        stack: nodeStack,
        warmSinceMs: index,
      }),
    );
    return { runtimes, placeholders };
  }

  async isWaiting(workerId: string): Promise<boolean> {
    const { application, isEnded } = this.#of(workerId);
    return application === undefined && !isEnded;
  }

  async reassign(workerId: string, runtimeId: string): Promise<void> {
    const worker = this.#of(workerId);
    await sleep(this.#clock, 20);
    if (worker.fate === 'does not move') await createDeferred<void>().promise;
    worker.runtimeId = runtimeId;
  }

  async assign(workerId: string, { application }: FleetRequest): Promise<AssignOutcome> {
    const worker = this.#of(workerId);
    await sleep(this.#clock, 30);
    if (worker.fate === 'throws') throw new Error('the sidecar is away');
    if (worker.fate === 'hangs') await createDeferred<void>().promise;
    if (worker.fate === 'tainted') return failedOutcome('it did not load');
    if (worker.fate === 'untainted')
      return { ...failedOutcome('it was too early'), kind: 'failed', tainted: false } as AssignOutcome;
    if (worker.application !== undefined) this.assignedTwice.push(workerId);
    worker.application = application.applicationId;
    return { kind: 'assigned' };
  }

  async end(workerId: string): Promise<void> {
    this.#of(workerId).isEnded = true;
  }

  async replenish(runtimeId: string, count: number): Promise<void> {
    if (this.replenishFails) throw new Error('no machine has room');
    this.replenished.push(`${runtimeId} ${count}`);
  }

  serving(applicationId: string): FakeWorkerPlace[] {
    return this.workers.filter(({ application, isEnded }) => application === applicationId && !isEnded);
  }

  #of(workerId: string): FakeWorkerPlace {
    const found = this.workers.find((worker) => worker.workerId === workerId);
    if (found === undefined) throw new Error(`there is no ${workerId}`);
    return found;
  }
}
