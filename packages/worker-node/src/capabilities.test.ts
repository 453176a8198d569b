import { describe, expect, it } from 'vitest';
import { collectCapabilities, workerCapabilities } from './capabilities.ts';
import type { ProgrammingModel } from './core/core-types.ts';

const model = (getCapabilities?: (own: Record<string, string>) => unknown): ProgrammingModel => ({
  name: 'a',
  version: '1',
  getInvocationModel: () => {
    throw new Error('not called');
  },
  ...(getCapabilities ? { getCapabilities } : {}),
});

describe('collectCapabilities', () => {
  it("are the worker's own without a model that adds to them", async () => {
    expect(Object.fromEntries(await collectCapabilities(model()))).toEqual(workerCapabilities);
    expect(Object.fromEntries(await collectCapabilities(model(() => undefined)))).toEqual(workerCapabilities);
  });

  it('take what the model adds, changed in place or new, as text', async () => {
    const inPlace = await collectCapabilities(
      model(async (own) => {
        own.HttpUri = 'http://localhost:1/';
        return own;
      }),
    );
    expect(inPlace.get('HttpUri')).toBe('http://localhost:1/');
    expect(inPlace.get('RawHttpBodyBytes')).toBe('true');
    const fresh = await collectCapabilities(model(() => ({ A: true, B: undefined })));
    expect([...fresh]).toEqual([['A', 'true']]);
    expect(workerCapabilities.HttpUri).toBeUndefined();
  });
});
