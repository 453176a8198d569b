import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHostId } from './host-id.ts';

const local = { machineName: 'My-Machine_01', scriptPath: '/srv/app' };

describe('createHostId', () => {
  it('uses the configured id as it is', () => {
    expect(createHostId({ ...local, configured: 'My-Own-Id' })).toBe('My-Own-Id');
  });

  it('cuts the name of a site to 32 characters in lower case without a dash at the end', () => {
    expect(createHostId({ ...local, siteName: 'My-Site' })).toBe('my-site');
    expect(createHostId({ ...local, siteName: `${'a'.repeat(30)}--tail` })).toBe('a'.repeat(30));
  });

  it('hashes the name of a site on the flex plan, as a GUID without dashes', () => {
    // MD5 of "abc" is 90015098 3cd2 4fb0 d6963f7d28e17f72, its first three groups turned around.
    expect(createHostId({ ...local, siteName: 'abc', plan: 'flex' })).toBe('98500190d23cb04fd6963f7d28e17f72');
  });

  it('makes one of machine and folder elsewhere', () => {
    // 23, then 31 times the hash plus each character, in 32 bits: "ab" gives (23 * 31 + 97) * 31 + 98.
    expect(createHostId({ machineName: 'Box', scriptPath: 'ab' })).toBe(`box-${(23 * 31 + 97) * 31 + 98}`);
    expect(createHostId(local)).toMatch(/^mymachine01-\d+$/);
    expect(createHostId(local)).not.toBe(createHostId({ ...local, scriptPath: '/srv/other' }));
  });

  it('always fits the names of storage', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (machineName, scriptPath) => {
        const id = createHostId({ machineName, scriptPath });
        expect(id.length).toBeLessThanOrEqual(32);
        expect(id).not.toMatch(/-$/);
        expect(id).toBe(id.toLowerCase());
      }),
    );
  });
});
