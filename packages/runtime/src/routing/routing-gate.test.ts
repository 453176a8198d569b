import { createDeferred, type Deferred } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Destination, RoutingGate, type Swap, type SwitchOutcome } from './routing-gate.ts';

/** A destination that writes down what it takes, and that may deliver further messages while it does. */
class Sink implements Destination<number> {
  readonly taken: number[] = [];
  readonly onTake: (message: number) => void;

  constructor(onTake: (message: number) => void = () => {}) {
    this.onTake = onTake;
  }

  take(message: number): void {
    this.taken.push(message);
    this.onTake(message);
  }
}

function openGate(destination: Destination<number>, parkLimit = 1_000) {
  const pressure: boolean[] = [];
  const gate = new RoutingGate(destination, { parkLimit, onPressure: (isPaused) => pressure.push(isPaused) });
  return { gate, pressure };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** A switch that a test carries out, gives up or lets fail when it wants to. */
interface Pending {
  readonly next: Sink;
  readonly prepared: Deferred<Swap<number>>;
  readonly outcome: Promise<SwitchOutcome | 'failed'>;
}

describe('RoutingGate, against its model', () => {
  /** What the gate must be indistinguishable from: a list of who has to have taken what. */
  class Model {
    readonly expected = new Map<Sink, number[]>();
    current: Sink;
    parked: number[] = [];
    pending: Pending | undefined;
    isEnded = false;

    constructor(first: Sink) {
      this.current = first;
    }

    deliver(message: number): void {
      if (this.isEnded) return;
      if (this.pending === undefined) this.give(this.current, [message]);
      else this.parked.push(message);
    }

    give(sink: Sink, messages: readonly number[]): void {
      this.expected.set(sink, [...(this.expected.get(sink) ?? []), ...messages]);
    }

    conclude(isSwitched: boolean): void {
      const { pending } = this;
      if (pending === undefined || this.isEnded) return;
      if (isSwitched) this.current = pending.next;
      this.give(this.current, this.parked);
      this.parked = [];
      this.pending = undefined;
    }
  }

  type Command = 'deliver' | 'switch' | 'switch from another' | 'carry out' | 'give up' | 'fail' | 'end';
  const command = fc.oneof(
    { weight: 8, arbitrary: fc.constant<Command>('deliver') },
    { weight: 3, arbitrary: fc.constantFrom<Command>('switch', 'switch from another') },
    { weight: 3, arbitrary: fc.constantFrom<Command>('carry out', 'carry out', 'give up', 'fail') },
    { weight: 1, arbitrary: fc.constant<Command>('end') },
  );

  async function run(commands: readonly Command[]): Promise<void> {
    const first = new Sink();
    const { gate, pressure } = openGate(first, 3);
    const model = new Model(first);
    const sinks = [first];
    let message = 0;
    const begin = (from: Sink): void => {
      const next = new Sink();
      const prepared = createDeferred<Swap<number>>();
      const outcome = gate.switch(from, () => prepared.promise).catch(() => 'failed' as const);
      const isTaken = !model.isEnded && model.pending === undefined && from === model.current;
      if (isTaken) {
        sinks.push(next);
        model.pending = { next, prepared, outcome };
      }
    };
    for (const one of commands) {
      const { pending } = model;
      if (one === 'deliver') {
        model.deliver(message);
        gate.deliver(message);
        message += 1;
      } else if (one === 'switch') begin(model.current);
      else if (one === 'switch from another') begin(new Sink());
      else if (one === 'end') {
        gate.end();
        model.isEnded = true;
      } else if (pending !== undefined) {
        if (one === 'fail') pending.prepared.reject(new Error('no such app'));
        else pending.prepared.resolve(() => (one === 'carry out' ? pending.next : undefined));
        const expected = { 'carry out': { kind: 'switched' }, 'give up': { kind: 'kept' }, fail: 'failed' }[one];
        const wasEnded = model.isEnded;
        model.conclude(one === 'carry out');
        const outcome = await pending.outcome;
        if (!wasEnded) expect(outcome).toEqual(expected);
        else if (one !== 'fail') expect(outcome).toEqual({ kind: 'ended' });
        model.pending = undefined;
      }
      await settle();
      for (const sink of sinks) expect(sink.taken).toEqual(model.expected.get(sink) ?? []);
      expect(gate.isOpen).toBe(!model.isEnded && model.pending === undefined);
      if (!model.isEnded) expect(pressure.at(-1) ?? false).toBe(model.parked.length >= 3);
    }
    const taken = sinks.flatMap((sink) => sink.taken);
    expect(taken).toEqual([...taken].sort((left, right) => left - right));
    expect(new Set(taken).size).toBe(taken.length);
  }

  test('I1, I2, I3, I5, I6: loses nothing, repeats nothing, keeps the order, whatever happens when', async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 40 }), run), { numRuns: 300 });
  });
});

describe('RoutingGate', () => {
  test('I4: the old destination settles what it took before the new one gets anything', async () => {
    const settled = createDeferred<void>();
    const order: string[] = [];
    const old: Destination<number> = {
      take: (message) => order.push(`old ${message}`),
      drained: () => settled.promise,
    };
    const next: Destination<number> = { take: (message) => order.push(`new ${message}`) };
    const { gate } = openGate(old);
    gate.deliver(1);
    const outcome = gate.switch(old, async () => {
      order.push('prepared');
      return () => next;
    });
    gate.deliver(2);
    await settle();
    order.push('settled');
    settled.resolve();
    expect(await outcome).toEqual({ kind: 'switched' });
    expect(order).toEqual(['old 1', 'settled', 'prepared', 'new 2']);
    expect(gate.destination).toBe(next);
  });

  test('I1: what a destination delivers while it takes parked messages comes behind them', async () => {
    const first = new Sink();
    const { gate } = openGate(first);
    const next: Sink = new Sink((message) => {
      if (message < 10) gate.deliver(message + 10);
    });
    const outcome = gate.switch(first, async () => () => next);
    for (const message of [1, 2, 3]) gate.deliver(message);
    await outcome;
    expect(next.taken).toEqual([1, 2, 3, 11, 12, 13]);
  });

  test('I3: says why it refuses', async () => {
    const first = new Sink();
    const { gate } = openGate(first);
    const swap = async (): Promise<Swap<number>> => () => new Sink();
    expect(await gate.switch(new Sink(), swap)).toEqual({ kind: 'refused', reason: 'wrong destination' });
    const held = createDeferred<Swap<number>>();
    const outcome = gate.switch(first, () => held.promise);
    expect(await gate.switch(first, swap)).toEqual({ kind: 'refused', reason: 'switch under way' });
    held.resolve(() => undefined);
    expect(await outcome).toEqual({ kind: 'kept' });
    gate.end();
    expect(await gate.switch(first, swap)).toEqual({ kind: 'refused', reason: 'ended' });
    expect(gate.destination).toBeUndefined();
  });

  test('I2: a swap that throws leaves the old destination in its place', async () => {
    const first = new Sink();
    const { gate } = openGate(first);
    const outcome = gate.switch(first, async () => () => {
      throw new Error('the app is gone');
    });
    gate.deliver(1);
    await expect(outcome).rejects.toThrow('the app is gone');
    gate.deliver(2);
    expect(first.taken).toEqual([1, 2]);
  });

  test('I6: a destination that ends the gate while it takes gets nothing more', async () => {
    const first = new Sink();
    const { gate } = openGate(first);
    const next: Sink = new Sink(() => gate.end());
    const outcome = gate.switch(first, async () => () => next);
    gate.deliver(1);
    gate.deliver(2);
    expect(await outcome).toEqual({ kind: 'ended' });
    expect(next.taken).toEqual([1]);
  });
});
