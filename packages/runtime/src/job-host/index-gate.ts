/**
 * Lets the workers of a JobHost wait for the app's functions, and has exactly one of them asked.
 *
 * Phases: Unknown (nobody is asked) <-> Asking (one is) -> Known. Ownership: the JobHost.
 *
 * I1 At most one participant is asked at a time; when it leaves, the next one that waits is asked.
 * I2 Every participant is told what to load exactly once, unless it leaves before that.
 * I3 Once the functions are known nobody is asked any more.
 */
import { StateMachine } from '@switchyard/kernel';
import type { FunctionLoadRequest } from '@switchyard/protocol';
import type { IndexParticipant } from '../worker-stream/handshake.ts';

type GateState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'asking'; readonly participant: IndexParticipant }
  | { readonly kind: 'known'; readonly requests: readonly FunctionLoadRequest[] };

const edges = {
  unknown: ['asking', 'known'],
  asking: ['unknown', 'known'],
  known: [],
} as const;

export class IndexGate {
  readonly #machine = new StateMachine<GateState>({ kind: 'unknown' }, edges);
  readonly #waiting = new Set<IndexParticipant>();
  readonly #asksWorkers: boolean;

  /** @param asksWorkers false for apps whose functions are read from function.json alone. */
  constructor(asksWorkers: boolean) {
    this.#asksWorkers = asksWorkers;
  }

  get isKnown(): boolean {
    return this.#machine.kind === 'known';
  }

  join(participant: IndexParticipant): void {
    const { state } = this.#machine;
    if (state.kind === 'known') {
      participant.load(state.requests);
      return;
    }
    this.#waiting.add(participant);
    this.#askNext();
  }

  leave(participant: IndexParticipant): void {
    this.#waiting.delete(participant);
    const { state } = this.#machine;
    if (state.kind !== 'asking' || state.participant !== participant) return;
    this.#machine.transition({ kind: 'unknown' });
    this.#askNext();
  }

  /** The functions are known: everyone who waits may load them. */
  settle(requests: readonly FunctionLoadRequest[]): void {
    if (this.isKnown) return;
    this.#machine.transition({ kind: 'known', requests });
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const participant of waiting) participant.load(requests);
  }

  #askNext(): void {
    if (!this.#asksWorkers || this.#machine.kind !== 'unknown') return;
    const next = this.#waiting.values().next().value;
    if (next === undefined) return;
    this.#machine.transition({ kind: 'asking', participant: next });
    next.ask();
  }
}
