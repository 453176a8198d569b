import { describe, expect, it } from 'vitest';
import { App } from './app.ts';
import type { AppTerminateContext } from './hook-contexts.ts';

describe('App', () => {
  it('gives appStart and appTerminate hooks their own data and that of all hooks', async () => {
    const app = new App('/app');
    app.hooks.register('appStart', ({ hookData, appHookData }: AppTerminateContext) => {
      hookData.own = 1;
      appHookData.shared = 2;
    });
    const seen: unknown[] = [];
    app.hooks.register('appTerminate', ({ hookData, appHookData }: AppTerminateContext) =>
      seen.push(hookData, appHookData),
    );
    await app.start(() => {});
    await app.terminate(() => {});
    expect(seen).toEqual([{ own: 1 }, { shared: 2 }]);
    expect(app.hookData).toEqual({ shared: 2 });
  });
});
