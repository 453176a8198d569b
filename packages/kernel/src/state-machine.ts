import { invariant } from './assert.ts';

/** Which kinds of state may follow which. */
export type Edges<Kind extends string> = Readonly<Record<Kind, readonly Kind[]>>;

/**
 * The one tagged state of a component. Resources live on the state that owns them.
 *
 * I1 Only the edges of the table are ever taken; anything else throws and leaves the state as it was.
 * I2 The observer sees every transition once, after it happened.
 */
export class StateMachine<State extends { readonly kind: string }> {
  readonly #edges: Edges<State['kind']>;
  readonly #onTransition: (from: State, to: State) => void;
  #state: State;

  constructor(initial: State, edges: Edges<State['kind']>, onTransition: (from: State, to: State) => void = () => {}) {
    this.#state = initial;
    this.#edges = edges;
    this.#onTransition = onTransition;
  }

  get state(): State {
    return this.#state;
  }

  get kind(): State['kind'] {
    return this.#state.kind;
  }

  /** True when the table has an edge from here to `kind`. */
  allows(kind: State['kind']): boolean {
    return this.#edges[this.#state.kind as State['kind']].includes(kind);
  }

  transition(to: State): void {
    const from = this.#state;
    invariant(this.allows(to.kind), `no edge from ${from.kind} to ${to.kind}`);
    this.#state = to;
    this.#onTransition(from, to);
  }
}
