import { describe, expect, it } from 'vitest';
import { createWarmer } from './warm-up.ts';

describe('createWarmer', () => {
  it('loads modules for a placeholder, and rehearses an invocation without an error', async () => {
    const imported: string[] = [];
    const warmer = createWarmer((url) => {
      imported.push(url);
      return Promise.resolve();
    });
    await warmer.placeholder();
    expect(imported).toContain('node:https');
    expect(imported.at(-1)).toMatch(/^data:/);
  });

  it('loads nothing but the fetch classes for an HTTP function', async () => {
    const imported: string[] = [];
    await createWarmer(async (url) => imported.push(url)).fetch();
    expect(imported).toEqual([]);
  });
});
