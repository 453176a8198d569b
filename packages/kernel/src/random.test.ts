import { describe, expect, it } from 'vitest';
import { systemRandom } from './random.ts';

describe('systemRandom', () => {
  it('draws from [0, 1), makes version 4 UUIDs and as many bytes as asked', () => {
    for (let draw = 0; draw < 100; draw += 1) {
      const value = systemRandom.next();
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
    }
    expect(systemRandom.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(systemRandom.bytes(33)).toHaveLength(33);
    expect(systemRandom.uuid()).not.toBe(systemRandom.uuid());
  });
});
