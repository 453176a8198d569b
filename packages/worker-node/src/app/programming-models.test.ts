import { describe, expect, it } from 'vitest';
import type { ProgrammingModel } from '../core/core-types.ts';
import { ProgrammingModels } from './programming-models.ts';

const model = (name: string): ProgrammingModel => ({
  name,
  version: '1',
  getInvocationModel: () => {
    throw new Error('not called');
  },
});

describe('ProgrammingModels', () => {
  it('I1: the last one wins, until a reset', () => {
    const models = new ProgrammingModels(model('default'));
    models.set(model('a'));
    models.set(model('b'));
    expect(models.current.name).toBe('b');
    models.reset();
    expect(models.current.name).toBe('default');
  });

  it('I2: capture keeps a model from being set, also when its setup throws', () => {
    const models = new ProgrammingModels(model('default'));
    expect(models.capture(() => models.set(model('inner')))?.name).toBe('inner');
    expect(models.capture(() => {})).toBeUndefined();
    expect(() =>
      models.capture(() => {
        throw new Error('x');
      }),
    ).toThrow('x');
    expect(models.current.name).toBe('default');
    models.set(model('after'));
    expect(models.current.name).toBe('after');
  });

  it.each([
    [undefined, 'getInvocationModel()'],
    [{ name: 'a', version: '1' }, 'getInvocationModel()'],
    [{ version: '1', getInvocationModel: () => {} }, 'name'],
    [{ name: 'a', getInvocationModel: () => {} }, 'version'],
  ])('refuses %o, naming what it lacks', (value, missing) => {
    expect(() => new ProgrammingModels(model('default')).set(value)).toThrow(`has no ${missing}`);
  });
});
