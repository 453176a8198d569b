import { describe, expect, test } from 'vitest';
import { createReadyWorker } from '../testing/sample-worker.ts';
import { Lane } from './lane.ts';
import { dispatchStrategies } from './strategies.ts';

const names = ['w1', 'w2', 'w3', 'w4'];
const partitions = Array.from({ length: 32 }, (_, index) => `shop/orders/${index}`);

function lanesOf(workers: readonly string[]): readonly Lane[] {
  return workers.map((workerId) => {
    const { worker, channel } = createReadyWorker({ workerId, inFlightCapacity: 1 });
    return new Lane(worker, channel);
  });
}

/** Which worker gets each partition. */
function places(lanes: readonly Lane[]): readonly (string | undefined)[] {
  const picker = dispatchStrategies.partitionAffinity();
  return partitions.map((partitionKey) => picker.pick(lanes, { partitionKey })?.worker.workerId);
}

describe('partition affinity', () => {
  test('a partition keeps its worker while membership stays, whatever the order of connecting', () => {
    const first = places(lanesOf(names));
    expect(places(lanesOf([...names].reverse()))).toEqual(first);
    expect(new Set(first)).toEqual(new Set(names));
  });

  test('a worker that goes moves its own partitions alone, and gets them back when it returns', () => {
    const before = places(lanesOf(names));
    const after = places(lanesOf(names.filter((name) => name !== 'w1')));
    expect(after.map((place, index) => place === before[index])).toEqual(before.map((place) => place !== 'w1'));
    expect(places(lanesOf(names))).toEqual(before);
  });

  test('a busy worker keeps its partitions, and one that serves no more does not', () => {
    const before = places(lanesOf(names));
    const lanes = lanesOf(names);
    const [first, second] = lanes;
    if (first === undefined || second === undefined) throw new Error('there are four');
    first.isBlocked = true;
    expect(places(lanes)).toEqual(before.map((place) => (place === 'w1' ? undefined : place)));
    second.isClosing = true;
    expect(places(lanes)).not.toContain('w2');
  });

  test('what has no partition goes to the least loaded', () => {
    const lanes = lanesOf(['w1', 'w2']);
    const picker = dispatchStrategies.partitionAffinity();
    expect(picker.pick(lanes, { partitionKey: undefined })?.worker.workerId).toBe('w1');
  });
});
