/**
 * The listeners of an app's functions.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost.
 *
 * I1 A listener is started at most once, and none of a disabled function ever.
 * I2 A listener that cannot start is reported and keeps no other from starting.
 * I3 After `drain` no listener brings a new event.
 * I4 Every `drain` resolves when all listeners are closed; the shortest deadline of all calls holds.
 */
import { type Clock, type Log, messageOf, StateMachine, settlesWithin } from '@switchyard/kernel';
import type { InvocationOutcome, TriggerEvent, TriggerListener } from '@switchyard/triggers';
import type { ConcurrencyControl } from '../concurrency/concurrency-control.ts';
import { runtimeErrors } from '../errors.ts';
import type { FunctionBacklog } from '../load/function-backlog.ts';
import type { FunctionEntry, ListenerWay } from './function-entry.ts';

export interface ListenerSetDeps {
  readonly clock: Clock;
  /** Carries the app's fields. */
  readonly log: Log;
  /** Workers that take what the listeners bring. */
  readonly workerCount: () => number;
  /** Finds out how many events may be in work at once; left out, the limits of each kind hold. */
  readonly concurrency?: ConcurrencyControl | undefined;
  readonly invoke: (entry: FunctionEntry, event: TriggerEvent) => Promise<InvocationOutcome>;
}

interface Running {
  readonly entry: FunctionEntry;
  readonly listener: TriggerListener;
}

/** Says that nobody listens any more. */
type Leave = () => Promise<void>;

type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'listening';
      readonly running: readonly Running[];
      readonly abort: AbortController;
      readonly leave: Leave;
    }
  | { readonly kind: 'draining'; readonly ended: Promise<void>; readonly abort: AbortController }
  | { readonly kind: 'closed' };

const edges = {
  idle: ['listening', 'closed'],
  listening: ['draining'],
  draining: ['closed'],
  closed: [],
} as const;

/** How long `close` of the listeners may take after their draining. */
const closeMs = 5_000;

export class ListenerSet {
  readonly #deps: ListenerSetDeps;
  readonly #machine = new StateMachine<State>({ kind: 'idle' }, edges);
  readonly #problems = new Map<string, string>();

  constructor(deps: ListenerSetDeps) {
    this.#deps = deps;
  }

  /** Why functions have no listener, by name. */
  get problems(): ReadonlyMap<string, string> {
    return this.#problems;
  }

  /** Starts everything that listens. Does not wait for the sources: an event comes when it comes. */
  start(entries: readonly FunctionEntry[]): void {
    if (this.#machine.kind !== 'idle') return;
    const abort = new AbortController();
    const running = entries.flatMap((entry) => this.#open(entry));
    const leave = this.#deps.concurrency?.open() ?? nothingToLeave;
    this.#machine.transition({ kind: 'listening', running, abort, leave });
    for (const { entry, listener } of running) {
      listener.start(abort.signal).catch((thrown: unknown) => {
        if (!abort.signal.aborted) this.#report(entry, thrown);
      });
    }
  }

  /** Asks the sources what waits there. One that cannot be asked is left out, and so is one that holds nothing. */
  async backlogs(signal: AbortSignal): Promise<readonly FunctionBacklog[]> {
    const { state } = this.#machine;
    if (state.kind !== 'listening') return [];
    const asked = state.running.map(async ({ entry, listener }): Promise<readonly FunctionBacklog[]> => {
      const backlog = await listener.backlog?.(signal);
      return backlog === undefined ? [] : [{ functionName: entry.metadata.name, ...backlog }];
    });
    const answers = await Promise.allSettled(asked);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  /** Lets the listeners finish what they have begun, for at most `deadlineMs` if given, and closes them. */
  async drain(deadlineMs?: number): Promise<void> {
    const { state } = this.#machine;
    if (state.kind === 'idle') this.#machine.transition({ kind: 'closed' });
    if (state.kind === 'idle' || state.kind === 'closed') return;
    const { ended, abort } = state.kind === 'draining' ? state : this.#beginDraining(state);
    const timer = deadlineMs === undefined ? undefined : this.#deps.clock.schedule(deadlineMs, () => abort.abort());
    await ended;
    timer?.cancel();
  }

  #beginDraining({
    running,
    abort,
    leave,
  }: Extract<State, { kind: 'listening' }>): Extract<State, { kind: 'draining' }> {
    const drained = Promise.allSettled(running.map(({ listener }) => listener.drain(abort.signal)));
    const state = { kind: 'draining', ended: this.#close(running, abort, drained, leave), abort } as const;
    this.#machine.transition(state);
    return state;
  }

  async #close(
    running: readonly Running[],
    abort: AbortController,
    drained: Promise<unknown>,
    leave: Leave,
  ): Promise<void> {
    await Promise.race([drained, aborted(abort.signal)]);
    abort.abort();
    const closed = Promise.allSettled(running.map(({ listener }) => listener.close()));
    await settlesWithin(this.#deps.clock, closeMs, Promise.all([closed, leave()]));
    this.#machine.transition({ kind: 'closed' });
  }

  #open(entry: FunctionEntry): Running[] {
    if (entry.trigger.kind !== 'listener' || entry.isDisabled) return [];
    const { invoke, workerCount } = this.#deps;
    try {
      const concurrency = this.#deps.concurrency?.of(entry.metadata.name);
      const way: ListenerWay =
        concurrency === undefined
          ? { workerCount, invoke: (event) => invoke(entry, event) }
          : { workerCount, concurrency, invoke: (event) => concurrency.run(() => invoke(entry, event)) };
      return [{ entry, listener: entry.trigger.listen(way) }];
    } catch (thrown) {
      this.#report(entry, thrown);
      return [];
    }
  }

  #report(entry: FunctionEntry, thrown: unknown): void {
    const { name, trigger } = entry.metadata;
    const details = { functionName: name, type: trigger.type, reason: messageOf(thrown) };
    const error = runtimeErrors.create('FUNCTION_LISTENER_FAILED', details, thrown);
    this.#problems.set(name, error.message);
    this.#deps.log.write('error', error.message, { category: 'Host.Startup', functionName: name, code: error.code });
  }
}

const nothingToLeave: Leave = async () => {};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
