import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import { AmqpEventHub } from './amqp-event-hub.ts';

function open(partitions = 4): { hub: AmqpEventHub; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { hub: new AmqpEventHub(clock, 'hub', partitions), clock };
}

describe('AmqpEventHub', () => {
  it('I1: events of a partition keep their order, with growing numbers', () => {
    const { hub } = open();
    for (const body of ['a', 'b', 'c']) hub.append({ body }, '2');
    expect(hub.events('2').map(({ message }) => message.body)).toEqual(['a', 'b', 'c']);
    expect(hub.events('2').map(({ sequence, offset }) => [sequence, offset])).toEqual([
      [0, '0'],
      [1, '64'],
      [2, '128'],
    ]);
    expect(hub.events('7')).toEqual([]);
  });

  it('I2: a key has one partition, and events without one are spread', () => {
    const { hub } = open();
    for (let index = 0; index < 8; index += 1)
      hub.append({ body: index, message_annotations: { 'x-opt-partition-key': 'same' } });
    const filled = hub.partitionIds.filter((id) => hub.events(id).length > 0);
    expect(filled).toHaveLength(1);
    for (let index = 0; index < 8; index += 1) hub.append({ body: index });
    expect(hub.partitionIds.every((id) => hub.events(id).length >= 2)).toBe(true);
  });

  it('I3: a selector says where to begin', async () => {
    const { hub, clock } = open(1);
    for (const body of ['a', 'b', 'c']) {
      hub.append({ body });
      await clock.advance(1_000);
    }
    const at = (selector?: string): number | undefined => hub.begin('0', selector);
    expect(at()).toBe(0);
    expect(at("amqp.annotation.x-opt-offset > '-1'")).toBe(0);
    expect(at("amqp.annotation.x-opt-offset > '64'")).toBe(2);
    expect(at("amqp.annotation.x-opt-offset >= '64'")).toBe(1);
    expect(at("amqp.annotation.x-opt-offset > '@latest'")).toBe(3);
    expect(at("amqp.annotation.x-opt-sequence-number > '0'")).toBe(1);
    expect(at(`amqp.annotation.x-opt-enqueued-time > '${clock.now() - 1_500}'`)).toBe(2);
    expect(at('1 = 1')).toBeUndefined();
    let told = 0;
    const unwatch = hub.watch(() => {
      told += 1;
    });
    hub.append({ body: 'd' });
    unwatch();
    hub.append({ body: 'e' });
    expect(told).toBe(1);
  });

  it('I4: the reader with the highest epoch stays', () => {
    const { hub } = open(1);
    const gone: string[] = [];
    const reader = (name: string, epoch?: number) => ({ epoch, steal: () => gone.push(name) });
    expect(hub.join('group', '0', reader('plain'))).toBe(true);
    expect(hub.join('group', '0', reader('zero', 0))).toBe(true);
    expect(gone).toEqual(['plain']);
    expect(hub.join('group', '0', reader('late'))).toBe(false);
    const one = reader('one', 1);
    expect(hub.join('group', '0', one)).toBe(true);
    expect(gone).toEqual(['plain', 'zero']);
    expect(hub.join('group', '0', reader('zero again', 0))).toBe(false);
    expect(hub.join('other', '0', reader('elsewhere', 0))).toBe(true);
    hub.leave('group', '0', one);
    expect(hub.join('group', '0', reader('zero at last', 0))).toBe(true);
  });
});
