import { describe, expect, it } from 'vitest';
import { HookRegistry } from './hook-registry.ts';

describe('HookRegistry', () => {
  it('I1: runs hooks in order, each awaited, up to the first that throws', async () => {
    const hooks = new HookRegistry();
    const events: string[] = [];
    hooks.register('preInvocation', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      events.push('a');
    });
    hooks.register('preInvocation', () => {
      events.push('b');
      throw new Error('stop');
    });
    hooks.register('preInvocation', () => events.push('c'));
    await expect(hooks.run('preInvocation', {}, () => {})).rejects.toThrow('stop');
    expect(events).toEqual(['a', 'b']);
  });

  it('tells of hooks before and after them, unless one throws, and of none nothing', async () => {
    const hooks = new HookRegistry();
    const told: string[] = [];
    const tell = (text: string): void => void told.push(text);
    await hooks.run('appStart', {}, tell);
    hooks.register('appStart', () => told.push('a hook'));
    hooks.register('appStart', () => {});
    await hooks.run('appStart', {}, tell);
    expect(told.splice(0)).toEqual(['Executing 2 "appStart" hooks', 'a hook', 'Executed "appStart" hooks']);
    hooks.register('appStart', () => Promise.reject(new Error('stop')));
    await expect(hooks.run('appStart', {}, tell)).rejects.toThrow('stop');
    expect(told).toEqual(['Executing 3 "appStart" hooks', 'a hook']);
  });

  it('I2: forgets a disposed hook, and only that one', async () => {
    const hooks = new HookRegistry();
    const events: string[] = [];
    const record = (context: unknown) => events.push(String(context));
    const first = hooks.register('appStart', record);
    hooks.register('appStart', record);
    first.dispose();
    first.dispose();
    await hooks.run('appStart', 'x', () => {});
    expect(events).toEqual(['x']);
    expect(hooks.has('appTerminate')).toBe(false);
  });

  it('I3: runs log hooks at once, not inside one another, and survives their errors', () => {
    const hooks = new HookRegistry();
    const errors: unknown[] = [];
    let depth = 0;
    hooks.register('log', (context: unknown) => {
      depth += 1;
      hooks.runLog(context, () => errors.push('inner'));
      throw new Error(`at depth ${depth}`);
    });
    hooks.runLog({}, (thrown) => errors.push(String(thrown)));
    hooks.runLog({}, (thrown) => errors.push(String(thrown)));
    expect(errors).toEqual(['Error: at depth 1', 'Error: at depth 2']);
  });

  it.each(['nope', 'toString', undefined, {}])('refuses the name %s as libraries expect it', (name) => {
    const register = () => new HookRegistry().register(name, () => {});
    expect(register).toThrow(RangeError);
    try {
      register();
    } catch (thrown) {
      expect(thrown).toMatchObject({ name: 'RangeError', isAzureFunctionsSystemError: true });
      expect(String(thrown)).toContain('preInvocation, postInvocation, appStart, appTerminate, log');
    }
  });

  it('refuses a hook that is no function', () => {
    expect(() => new HookRegistry().register('log', 5)).toThrow('The "log" hook is a number');
  });
});
