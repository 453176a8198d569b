import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from './assert.ts';
import { type Edges, StateMachine } from './state-machine.ts';

type Kind = 'idle' | 'busy' | 'done';
type State = { readonly kind: 'idle' } | { readonly kind: 'busy'; readonly job: number } | { readonly kind: 'done' };

const edges: Edges<Kind> = { idle: ['busy', 'done'], busy: ['busy', 'idle'], done: [] };

function toState(kind: Kind, job: number): State {
  return kind === 'busy' ? { kind, job } : { kind };
}

describe('StateMachine', () => {
  it('I1, I2: takes exactly the edges of the table and reports each once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Kind>('idle', 'busy', 'done')), (wishes) => {
        const seen: [State, State][] = [];
        const machine = new StateMachine<State>({ kind: 'idle' }, edges, (from, to) => seen.push([from, to]));
        const taken: [State, State][] = [];
        wishes.forEach((kind, job) => {
          const from = machine.state;
          const to = toState(kind, job);
          if (edges[from.kind].includes(kind)) {
            expect(machine.allows(kind)).toBe(true);
            machine.transition(to);
            expect(machine.state).toBe(to);
            taken.push([from, to]);
          } else {
            expect(machine.allows(kind)).toBe(false);
            expect(() => machine.transition(to)).toThrow(InvariantError);
            expect(machine.state).toBe(from);
          }
        });
        expect(seen).toEqual(taken);
      }),
    );
  });

  it('I1: names both ends of an edge that does not exist', () => {
    const machine = new StateMachine<State>({ kind: 'done' }, edges);
    expect(() => machine.transition({ kind: 'idle' })).toThrow('no edge from done to idle');
    expect(machine.kind).toBe('done');
  });

  it('I2: the observer runs after the state has changed', () => {
    const kinds: Kind[] = [];
    const machine = new StateMachine<State>({ kind: 'idle' }, edges, () => kinds.push(machine.kind));
    machine.transition({ kind: 'busy', job: 1 });
    expect(kinds).toEqual(['busy']);
  });
});
