import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ProgrammingModels } from '../app/programming-models.ts';
import type { CoreInvocationContext, InvocationModel } from '../core/core-types.ts';
import { DefaultModel, defaultModelVersion } from './default-model.ts';

const context = {} as CoreInvocationContext;
const invocationModel = {} as InvocationModel;

function open(setup: (models: ProgrammingModels) => void) {
  let loads = 0;
  const model: DefaultModel = new DefaultModel(async () => {
    loads += 1;
    return { setup: () => setup(models) };
  });
  const models = new ProgrammingModels(model);
  model.bind(models);
  return { model, models, loads: () => loads };
}

describe('DefaultModel', () => {
  it('I1: loads its library once, when it is first used, and stays the default itself', async () => {
    const { model, models, loads } = open((all) =>
      all.set({ name: 'inner', version: '3', getInvocationModel: () => invocationModel }),
    );
    expect(loads()).toBe(0);
    const [one, two] = await Promise.all([model.getInvocationModel(context), model.getInvocationModel(context)]);
    expect([one, two, loads()]).toEqual([invocationModel, invocationModel, 1]);
    expect(models.current).toBe(model);
  });

  it('says so when the library sets no model', async () => {
    await expect(open(() => {}).model.getInvocationModel(context)).rejects.toThrow('set no programming model');
  });

  it('has the name and the version of its dependency', () => {
    const require = createRequire(import.meta.url);
    const { name, version } = require('azure-functions-v3/package.json') as { name: string; version: string };
    expect({ name, version }).toEqual({ name: open(() => {}).model.name, version: defaultModelVersion });
  });
});
