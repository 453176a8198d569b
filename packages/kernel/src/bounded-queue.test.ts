import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from './bounded-queue.ts';

/** What a queue does, said again with a plain array. */
interface Model {
  readonly capacity: number;
  items: number[];
}

class Offer implements fc.Command<Model, BoundedQueue<number>> {
  readonly item: number;
  constructor(item: number) {
    this.item = item;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, queue: BoundedQueue<number>): void {
    const fits = model.items.length < model.capacity;
    expect(queue.offer(this.item)).toBe(fits);
    if (fits) model.items.push(this.item);
    expectSame(model, queue);
  }
  toString(): string {
    return `offer(${this.item})`;
  }
}

class Poll implements fc.Command<Model, BoundedQueue<number>> {
  check(): boolean {
    return true;
  }
  run(model: Model, queue: BoundedQueue<number>): void {
    expect(queue.poll()).toBe(model.items.shift());
    expectSame(model, queue);
  }
  toString(): string {
    return 'poll';
  }
}

class Drain implements fc.Command<Model, BoundedQueue<number>> {
  check(): boolean {
    return true;
  }
  run(model: Model, queue: BoundedQueue<number>): void {
    expect(queue.drain()).toEqual(model.items);
    model.items = [];
    expectSame(model, queue);
  }
  toString(): string {
    return 'drain';
  }
}

function expectSame(model: Model, queue: BoundedQueue<number>): void {
  expect(queue.size).toBe(model.items.length);
  expect(queue.isFull).toBe(model.items.length === model.capacity);
}

describe('BoundedQueue', () => {
  it('I1, I2, I3: behaves as an array with a limit, whatever is asked of it', () => {
    const commands = [
      fc.integer().map((item) => new Offer(item)),
      fc.constant(null).map(() => new Poll()),
      fc.constant(null).map(() => new Drain()),
    ];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.commands(commands, { maxCommands: 60 }), (capacity, cmds) => {
        fc.modelRun(() => ({ model: { capacity, items: [] }, real: new BoundedQueue<number>(capacity) }), cmds);
      }),
    );
  });

  it('I1: refuses an item when full and accepts again after a poll', () => {
    const queue = new BoundedQueue<string>(1);
    expect(queue.offer('a')).toBe(true);
    expect(queue.offer('b')).toBe(false);
    expect(queue.poll()).toBe('a');
    expect(queue.offer('c')).toBe(true);
    expect(queue.drain()).toEqual(['c']);
  });

  it('I2: keeps the order while it compacts its storage', () => {
    const queue = new BoundedQueue<number>(100_000);
    let expected = 0;
    for (let item = 0; item < 6_000; item += 1) {
      queue.offer(item);
      if (item % 3 !== 0) expect(queue.poll()).toBe(expected++);
    }
    expect(queue.size).toBe(6_000 - expected);
    while (queue.size > 0) expect(queue.poll()).toBe(expected++);
    expect(expected).toBe(6_000);
  });

  it('I3: holds undefined and null as items without inventing any', () => {
    const queue = new BoundedQueue<null | undefined>(2);
    queue.offer(undefined);
    queue.offer(null);
    expect([queue.poll(), queue.poll(), queue.poll()]).toEqual([undefined, null, undefined]);
    expect(queue.size).toBe(0);
    expect(queue.drain()).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the capacity %s', (capacity) => {
    expect(() => new BoundedQueue(capacity)).toThrow(RangeError);
  });
});
