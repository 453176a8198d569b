/**
 * A change of settings on its way to a worker that takes it without a restart.
 *
 * Ownership: the worker holds it from the question to the answer.
 *
 * I1 Only a worker that is ready, and says that it and its app can take it, is told.
 * I2 It is settled once: by the answer, by the end of the stream, or after `answerMs`.
 * I3 It has arrived when the worker's environment was read back with it.
 */
import { type Clock, createDeferred, type Deferred } from '@switchyard/kernel';
import {
  environmentDigestProperty,
  type FunctionEnvironmentReloadResponse,
  isDigestOf,
  StatusResult_Status,
  StreamingMessage,
} from '@switchyard/protocol';
import type { EnvironmentOutcome } from '../contract.ts';
import type { Worker } from '../worker-registry/worker.ts';

export class EnvironmentUpdate {
  readonly #outcome: Deferred<EnvironmentOutcome> = createDeferred<EnvironmentOutcome>();
  readonly #variables: ReadonlyMap<string, string>;

  constructor(variables: ReadonlyMap<string, string>) {
    this.#variables = variables;
  }

  get outcome(): Promise<EnvironmentOutcome> {
    return this.#outcome.promise;
  }

  answer({ result, workerMetadata }: FunctionEnvironmentReloadResponse): void {
    if (result?.status !== StatusResult_Status.Success) {
      this.fail(result?.exception?.message || result?.result || 'the worker gave no reason');
      return;
    }
    const digest = workerMetadata?.customProperties.get(environmentDigestProperty) ?? '';
    if (isDigestOf(digest, this.#variables)) this.#outcome.resolve({ kind: 'updated' });
    else this.fail('its environment is another one than it was told');
  }

  fail(reason: string): void {
    this.#outcome.resolve({ kind: 'unable', reason });
  }
}

/** The workers of a version, and how many more are on their way with what they were told before. */
export interface UpdatedWorkers {
  readonly workers: readonly Worker[];
  readonly startingCount: number;
}

/** Those that take no new calls end with what they have. */
const leaving: ReadonlySet<Worker['state']['kind']> = new Set(['draining', 'stopped', 'lost', 'abandoned']);

/** Tells all workers of a version of their environment. Never rejects. */
export async function updateEnvironments(
  clock: Clock,
  { workers, startingCount }: UpdatedWorkers,
  variables: ReadonlyMap<string, string>,
  answerMs: number,
): Promise<EnvironmentOutcome> {
  if (startingCount > 0) return { kind: 'unable', reason: 'a worker is starting' };
  const staying = workers.filter(({ state }) => !leaving.has(state.kind));
  const outcomes = await Promise.all(staying.map((worker) => updateEnvironment(clock, worker, variables, answerMs)));
  return outcomes.find(({ kind }) => kind === 'unable') ?? { kind: 'updated' };
}

async function updateEnvironment(
  clock: Clock,
  worker: Worker,
  variables: ReadonlyMap<string, string>,
  answerMs: number,
): Promise<EnvironmentOutcome> {
  const unable = (reason: string): EnvironmentOutcome => ({ kind: 'unable', reason });
  const { channel, state, capabilities } = worker;
  if (state.kind !== 'ready' || channel === undefined) return unable(`a worker is ${state.kind}`);
  if (!capabilities.settingsUpdate) return unable('a worker takes its settings when it starts alone');
  if (worker.update !== undefined) return unable('a worker is taking another change');
  const update = new EnvironmentUpdate(variables);
  worker.update = update;
  const timer = clock.schedule(answerMs, () => update.fail(`a worker gave no answer within ${answerMs} ms`));
  const environmentVariables = new Map(variables);
  channel.send(
    StreamingMessage.encode({
      requestId: '',
      content: {
        $case: 'functionEnvironmentReloadRequest',
        value: { environmentVariables, functionAppDirectory: '' },
      },
    }).finish(),
  );
  const outcome = await update.outcome;
  timer.cancel();
  worker.update = undefined;
  // A restart gives the worker what it was started with, and this over it.
  if (outcome.kind === 'updated') worker.environment = environmentVariables;
  return outcome;
}
