/**
 * Where the messages of one worker go, and the one way to change that: close, drain, swap, reopen.
 *
 * Phases: Open -> Closed (messages are parked while the next destination is prepared) -> Open; any -> Ended.
 * Ownership: the worker's stream owns its gate; nobody else delivers.
 *
 * I1 Every message goes to exactly one destination, once, in the order of its delivery, also across a switch.
 * I2 After a switch nothing reaches the old destination any more; after one that was given up nothing reaches the new one.
 * I3 A switch names the destination that it leaves: a wrong one, or a second switch at the same time, changes nothing.
 * I4 The old destination has settled what it took before the new one gets its first message.
 * I5 With `parkLimit` messages parked the source is paused; it goes on when the gate has reopened.
 * I6 After the end nothing is delivered any more, and a switch that is under way is not carried out.
 */
import { type Edges, StateMachine } from '@switchyard/kernel';

/** Who takes messages. */
export interface Destination<Message> {
  take(message: Message): void;
  /** Resolves when everything that was taken is settled. */
  drained?(): Promise<void>;
}

/** Makes the next destination, at once; undefined when there is none after all. */
export type Swap<Message> = () => Destination<Message> | undefined;

export type SwitchOutcome =
  | { readonly kind: 'switched' }
  /** Everything is as before: the preparation came to nothing. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'refused'; readonly reason: 'wrong destination' | 'switch under way' | 'ended' }
  | { readonly kind: 'ended' };

export interface RoutingGateOptions {
  readonly parkLimit: number;
  /** Pauses or resumes the source. */
  readonly onPressure: (isPaused: boolean) => void;
}

type State<Message> =
  | { readonly kind: 'open'; readonly destination: Destination<Message> }
  | { readonly kind: 'closed'; readonly destination: Destination<Message>; readonly parked: Message[] }
  | { readonly kind: 'ended' };

const edges: Edges<State<unknown>['kind']> = { open: ['closed', 'ended'], closed: ['open', 'ended'], ended: [] };

export class RoutingGate<Message> {
  readonly #options: RoutingGateOptions;
  readonly #machine: StateMachine<State<Message>>;
  #isPaused = false;

  constructor(destination: Destination<Message>, options: RoutingGateOptions) {
    this.#options = options;
    this.#machine = new StateMachine<State<Message>>({ kind: 'open', destination }, edges);
  }

  /** Where messages go, or would go if the gate were open; undefined after the end. */
  get destination(): Destination<Message> | undefined {
    const { state } = this.#machine;
    return state.kind === 'ended' ? undefined : state.destination;
  }

  get isOpen(): boolean {
    return this.#machine.kind === 'open';
  }

  deliver(message: Message): void {
    const { state } = this.#machine;
    if (state.kind === 'open') state.destination.take(message);
    else if (state.kind === 'closed') this.#park(state.parked, message);
  }

  /**
   * Moves the worker from one destination to the next. `prepare` may take its time and may fail; what it answers is called
   * when the old destination has drained, and swaps at once. Rejects as `prepare` or the swap does, with everything as before.
   */
  async switch(from: Destination<Message>, prepare: () => Promise<Swap<Message>>): Promise<SwitchOutcome> {
    const { state } = this.#machine;
    if (state.kind === 'ended') return { kind: 'refused', reason: 'ended' };
    if (state.kind === 'closed') return { kind: 'refused', reason: 'switch under way' };
    if (state.destination !== from) return { kind: 'refused', reason: 'wrong destination' };
    const closed = { kind: 'closed', destination: from, parked: [] } as const satisfies State<Message>;
    this.#machine.transition(closed);
    let next: Destination<Message> | undefined;
    try {
      await from.drained?.();
      const swap = await prepare();
      if (this.#machine.state !== closed) return { kind: 'ended' };
      next = swap();
    } finally {
      this.#reopen(closed, next ?? from);
    }
    if (this.#machine.kind === 'ended') return { kind: 'ended' };
    return { kind: next === undefined ? 'kept' : 'switched' };
  }

  /** Nothing is delivered any more; what is parked is dropped with its stream. */
  end(): void {
    if (this.#machine.allows('ended')) this.#machine.transition({ kind: 'ended' });
  }

  #park(parked: Message[], message: Message): void {
    parked.push(message);
    if (parked.length >= this.#options.parkLimit) this.#press(true);
  }

  /** Hands over what is parked, also what is parked meanwhile, and opens. */
  #reopen(closed: Extract<State<Message>, { kind: 'closed' }>, destination: Destination<Message>): void {
    for (let index = 0; this.#machine.state === closed && index < closed.parked.length; index += 1) {
      destination.take(closed.parked[index] as Message);
    }
    if (this.#machine.state !== closed) return;
    this.#machine.transition({ kind: 'open', destination });
    this.#press(false);
  }

  #press(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#options.onPressure(isPaused);
  }
}
