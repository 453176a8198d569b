import { open } from 'node:fs/promises';
import { systemClock } from '@switchyard/kernel';
import { describe, expect, test } from 'vitest';
import { createVitals } from './create-vitals.ts';

/** What is used of each vital by now. */
function measure(): ReadonlyMap<string, number> {
  const vitals = createVitals(systemClock);
  const measured = new Map(vitals.read().map(({ name, used }) => [name, used]));
  vitals.close();
  return measured;
}

describe('createVitals', () => {
  test('measures parts of what there is', () => {
    const measured = measure();
    expect([...measured.keys()]).toEqual(expect.arrayContaining(['memory', 'event loop delay', 'event loop']));
    for (const used of measured.values()) {
      expect(used).toBeGreaterThanOrEqual(0);
      expect(used).toBeLessThanOrEqual(1);
    }
    expect(measured.get('memory')).toBeGreaterThan(0);
  });

  test.runIf(process.platform === 'linux')('counts files and connections that are open', async () => {
    const before = measure().get('open files') ?? 0;
    const files = await Promise.all(Array.from({ length: 50 }, () => open('/proc/self/limits')));
    expect(measure().get('open files')).toBeGreaterThan(before);
    await Promise.all(files.map((file) => file.close()));
  });

  test('notices an event loop that stands still', () => {
    const vitals = createVitals(systemClock);
    const endMs = performance.now() + 1_500;
    while (performance.now() < endMs);
    const delay = () => vitals.read().find(({ name }) => name === 'event loop delay')?.used ?? 0;
    expect(delay()).toBeGreaterThan(0.4);
    vitals.close();
  });
});
