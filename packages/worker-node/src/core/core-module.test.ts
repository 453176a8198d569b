import { describe, expect, it } from 'vitest';
import { App } from '../app/app.ts';
import { ProgrammingModels } from '../app/programming-models.ts';
import { createCoreModule } from './core-module.ts';
import type { ProgrammingModel } from './core-types.ts';

const model = (name: string): ProgrammingModel => ({
  name,
  version: '1',
  getInvocationModel: () => {
    throw new Error('not called');
  },
});

function open(hostVersion?: string) {
  const lines: string[] = [];
  let app = new App('/app');
  const models = new ProgrammingModels(model('default'));
  const core = createCoreModule({
    workerVersion: '1.2.3',
    hostVersion: () => hostVersion,
    app: () => app,
    models,
    log: {
      system: (level, message) => lines.push(`${level} system ${message}`),
      write: (level, category, message) => lines.push(`${level} ${category} ${message}`),
    },
  });
  const reload = () => {
    app = new App('/app');
  };
  return { core, lines, models, reload, app: () => app };
}

const hello = { name: 'hello', bindings: { req: { type: 'httpTrigger', direction: 'in' } } };

describe('createCoreModule', () => {
  it('has the eight members that libraries know, and no others', () => {
    expect(Object.keys(open('4.1').core).sort()).toEqual([
      'Disposable',
      'getProgrammingModel',
      'hostVersion',
      'log',
      'registerFunction',
      'registerHook',
      'setProgrammingModel',
      'version',
    ]);
  });

  it('knows the versions, that of the host not before it has introduced itself', () => {
    expect([open('4.1').core.version, open('4.1').core.hostVersion]).toEqual(['1.2.3', '4.1']);
    expect(() => open().core.hostVersion).toThrow('before the host introduced itself');
  });

  it('registers functions and hooks with the app that is loaded now', () => {
    const { core, app, reload } = open();
    app().entryFile = '/app/src/a.js';
    const registered = core.registerFunction(hello, () => {});
    core.registerHook('preInvocation', () => {});
    const before = app();
    expect(before.functions.find('hello')?.metadata).toMatchObject({ directory: '/app/src', scriptFile: 'a.js' });
    expect(before.hooks.has('preInvocation')).toBe(true);
    registered.dispose();
    expect(before.functions.list()).toEqual([]);
    reload();
    core.registerFunction(hello, () => {});
    expect([before.functions.list().length, app().functions.list().length]).toEqual([0, 1]);
    expect(app().hooks.has('preInvocation')).toBe(false);
  });

  it('sets and tells the programming model, and says so', () => {
    const { core, lines } = open();
    expect(core.getProgrammingModel().name).toBe('default');
    core.setProgrammingModel(model('mine'));
    expect(core.getProgrammingModel().name).toBe('mine');
    expect(lines).toEqual(['information system Setting Node.js programming model to "mine" version "1"']);
    expect(() => core.setProgrammingModel({})).toThrow('getInvocationModel()');
  });

  it('logs outside an invocation', () => {
    const { core, lines } = open();
    core.log('warning', 'user', 'careful');
    expect(lines).toEqual(['warning user careful']);
    expect(new core.Disposable(() => 5).dispose()).toBe(5);
  });
});
