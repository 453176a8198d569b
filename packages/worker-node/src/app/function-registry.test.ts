import { describe, expect, it } from 'vitest';
import { FunctionRegistry } from './function-registry.ts';

const hello = { name: 'hello', bindings: { req: { type: 'httpTrigger', direction: 'in' } } };
const run = () => 'ran';

describe('FunctionRegistry', () => {
  it('I1: takes and removes nothing once it is locked, naming the function', () => {
    const registry = new FunctionRegistry();
    const remove = registry.register(hello, run);
    registry.lock();
    expect(() => registry.register({ ...hello, name: 'late' }, run)).toThrow('"late" was registered after the app');
    expect(remove).toThrow('"hello" was disposed after the app');
    expect(registry.list()).toHaveLength(1);
    try {
      remove();
    } catch (thrown) {
      expect(thrown).toMatchObject({ isAzureFunctionsSystemError: true });
    }
  });

  it('I2: gives every id away once', () => {
    const registry = new FunctionRegistry();
    const remove = registry.register({ ...hello, functionId: 'id' }, run);
    expect(() => registry.register({ ...hello, name: 'other', functionId: 'id' }, run)).toThrow('the id "id"');
    remove();
    const other = registry.register({ ...hello, name: 'other', functionId: 'id' }, run);
    remove();
    expect(registry.find('id')?.metadata.name).toBe('other');
    other();
    expect(registry.find('id')).toBeUndefined();
  });

  it('I3: is worker-indexed from the first registration on, for good', () => {
    const registry = new FunctionRegistry();
    expect(registry.indexedByWorker).toBe(false);
    registry.put('script', { metadata: registered().metadata, callback: run });
    expect(registry.indexedByWorker).toBe(false);
    registry.register(hello, run)();
    expect(registry.indexedByWorker).toBe(true);
  });

  it('keeps where a function was registered', () => {
    const registry = new FunctionRegistry();
    registry.register(hello, run, { directory: '/app', scriptFile: 'a.js' });
    registry.register({ ...hello, name: 'b' }, run);
    expect(registry.list().map(({ rpc }) => [rpc?.directory, rpc?.scriptFile])).toEqual([
      ['/app', 'a.js'],
      ['unknown', 'unknown'],
    ]);
  });

  it('refuses a callback that is none', () => {
    expect(() => new FunctionRegistry().register(hello, 'run')).toThrow(
      'the callback is a string, expected a function',
    );
  });
});

function registered() {
  const registry = new FunctionRegistry();
  registry.register(hello, run);
  const [first] = registry.list();
  if (!first) throw new Error('nothing was registered');
  return first;
}
