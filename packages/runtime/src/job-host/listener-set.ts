/**
 * The listeners of an app's functions.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: the JobHost.
 *
 * I1 A listener is started at most once, and none of a disabled function ever.
 * I2 A listener that cannot start is reported and keeps no other from starting.
 * I3 After `drain` no listener brings a new event.
 */
import { type Clock, type Log, messageOf, StateMachine, settlesWithin } from '@switchyard/kernel';
import type { InvocationOutcome, TriggerEvent, TriggerListener } from '@switchyard/triggers';
import { runtimeErrors } from '../errors.ts';
import type { FunctionEntry } from './function-entry.ts';

export interface ListenerSetDeps {
  readonly clock: Clock;
  /** Carries the app's fields. */
  readonly log: Log;
  readonly invoke: (entry: FunctionEntry, event: TriggerEvent) => Promise<InvocationOutcome>;
}

interface Running {
  readonly entry: FunctionEntry;
  readonly listener: TriggerListener;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly running: readonly Running[]; readonly abort: AbortController }
  | { readonly kind: 'draining' }
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
    this.#machine.transition({ kind: 'listening', running, abort });
    for (const { entry, listener } of running) {
      listener.start(abort.signal).catch((thrown: unknown) => {
        if (!abort.signal.aborted) this.#report(entry, thrown);
      });
    }
  }

  /** Lets the listeners finish what they have begun, for at most `deadlineMs`, and closes them. */
  async drain(deadlineMs: number): Promise<void> {
    const { state } = this.#machine;
    if (state.kind === 'idle') this.#machine.transition({ kind: 'closed' });
    if (state.kind !== 'listening') return;
    this.#machine.transition({ kind: 'draining' });
    const { clock } = this.#deps;
    const drained = Promise.allSettled(state.running.map(({ listener }) => listener.drain(state.abort.signal)));
    await settlesWithin(clock, deadlineMs, drained);
    state.abort.abort();
    const closed = Promise.allSettled(state.running.map(({ listener }) => listener.close()));
    await settlesWithin(clock, closeMs, closed);
    this.#machine.transition({ kind: 'closed' });
  }

  #open(entry: FunctionEntry): Running[] {
    if (entry.trigger.kind !== 'listener' || entry.isDisabled) return [];
    try {
      return [{ entry, listener: entry.trigger.listen((event) => this.#deps.invoke(entry, event)) }];
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
