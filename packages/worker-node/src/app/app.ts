import { FunctionRegistry } from './function-registry.ts';
import { AppStartContext, AppTerminateContext, type HookData } from './hook-contexts.ts';
import { HookRegistry } from './hook-registry.ts';

/** One loaded app: its functions, its hooks and what they share. A reload makes a new one. */
export class App {
  /** Its folder; empty for a placeholder that serves no app. */
  readonly directory: string;
  readonly functions = new FunctionRegistry();
  readonly hooks = new HookRegistry();
  /** Shared by all hooks. */
  readonly hookData: HookData = {};
  /** Shared by appStart and appTerminate hooks. */
  readonly #appLevelHookData: HookData = {};
  /** The entry file that is loading, as an absolute path. */
  entryFile: string | undefined;
  /** Why the app could not start: then none of its functions runs. */
  startError: Error | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Runs the appStart hooks; `tell` hears of them. */
  async start(tell: (text: string) => void): Promise<void> {
    await this.hooks.run('appStart', new AppStartContext(this.#stores(), this.directory), tell);
  }

  /** Runs the appTerminate hooks; `tell` hears of them. */
  async terminate(tell: (text: string) => void): Promise<void> {
    await this.hooks.run('appTerminate', new AppTerminateContext(this.#stores()), tell);
  }

  #stores(): { hookData: HookData; appHookData: HookData } {
    return { hookData: this.#appLevelHookData, appHookData: this.hookData };
  }
}
