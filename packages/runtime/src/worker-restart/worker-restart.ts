/**
 * A wish that a worker's process be started anew: the Runtime asks the worker's sidecar, and the wrapper decides.
 *
 * Ownership: the worker holds the wish from the question until it is refused, or the worker's next stream opens.
 *
 * I1 A worker has at most one wish; while it has one, another is `in-progress`.
 * I2 A wish is settled once: by the answer, by the end of the stream that it went out on, or after `answerMs`.
 * I3 An accepted wish stays, so that the end of the stream is known for what it is, until the worker is back.
 */
import type { Clock } from '@switchyard/kernel';
import { createDeferred, type Deferred } from '@switchyard/kernel';
import { StreamingMessage, type WorkerRestartResponse, WorkerRestartResponse_Status } from '@switchyard/protocol';
import type { RestartOutcome, RestartWish } from '../contract.ts';
import type { Worker } from '../worker-registry/worker.ts';

export class WorkerRestart {
  readonly #outcome: Deferred<RestartOutcome> = createDeferred<RestartOutcome>();
  readonly #onRefused: () => void;
  #settled: RestartOutcome | undefined;

  constructor(onRefused: () => void) {
    this.#onRefused = onRefused;
  }

  get outcome(): Promise<RestartOutcome> {
    return this.#outcome.promise;
  }

  /** True from the wrapper's yes on: the worker goes, and comes back. */
  get isAccepted(): boolean {
    return this.#settled?.kind === 'accepted';
  }

  answer(response: WorkerRestartResponse): void {
    this.#settle(toOutcome(response));
  }

  /** No answer will come. */
  fail(reason: string): void {
    this.#settle({ kind: 'rejected', reason });
  }

  #settle(outcome: RestartOutcome): void {
    if (this.#settled !== undefined) return;
    this.#settled = outcome;
    if (outcome.kind !== 'accepted') this.#onRefused();
    this.#outcome.resolve(outcome);
  }
}

/** Asks a worker's sidecar. Never rejects. */
export function askForRestart(
  clock: Clock,
  worker: Worker | undefined,
  wish: RestartWish,
  answerMs: number,
): Promise<RestartOutcome> {
  const rejected = (reason: string): Promise<RestartOutcome> => Promise.resolve({ kind: 'rejected', reason });
  if (worker === undefined) return rejected('there is no such worker; look at the status for those that there are');
  const { channel } = worker;
  if (worker.restart !== undefined) return Promise.resolve({ kind: 'in-progress' });
  if (channel === undefined) return rejected('it is not connected; wait until it is back');
  if (worker.sidecarEpoch === 0) return rejected('it has no sidecar that could start it anew; its supply replaces it');
  const restart = new WorkerRestart(() => {
    if (worker.restart === restart) worker.restart = undefined;
  });
  worker.restart = restart;
  const timer = clock.schedule(answerMs, () => restart.fail(`its sidecar gave no answer within ${answerMs} ms`));
  void restart.outcome.then(() => timer.cancel());
  const environment = new Map([...(worker.environment ?? []), ...(wish.environment ?? [])]);
  channel.send(toFrame({ ...wish, environment }));
  return restart.outcome;
}

function toFrame({ reason, executable, arguments: words, workerPath, environment }: RestartWish): Uint8Array {
  const newConfiguration = {
    executablePath: executable ?? '',
    arguments: [...(words ?? [])],
    workerPath: workerPath ?? '',
    environmentOverrides: new Map(environment ?? []),
  };
  const content = { $case: 'workerRestartRequest', value: { reason, newConfiguration } } as const;
  return StreamingMessage.encode({ requestId: '', content }).finish();
}

function toOutcome({ status, message }: WorkerRestartResponse): RestartOutcome {
  if (status === WorkerRestartResponse_Status.ACCEPTED) return { kind: 'accepted' };
  if (status === WorkerRestartResponse_Status.IN_PROGRESS) return { kind: 'in-progress' };
  return { kind: 'rejected', reason: message === '' ? 'its wrapper gave no reason' : message };
}
