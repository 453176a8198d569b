/**
 * The hooks of one app, by name and in the order in which they were registered.
 *
 * Ownership: one per loaded app; a reload makes a new one.
 *
 * I1 Hooks of a name run one after the other, in order, each awaited; the first that throws ends the row.
 * I2 A disposed hook does not run any more.
 * I3 Log hooks run at once, never inside one another, and a throwing one changes nothing.
 */
import { Disposable } from '../core/disposable.ts';
import { describeValue } from '../data/describe-value.ts';
import { workerErrors } from '../errors.ts';

export const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'] as const;
export type HookName = (typeof hookNames)[number];
type Hook = (context: unknown) => unknown;

export class HookRegistry {
  readonly #hooks: Readonly<Record<HookName, Hook[]>> = {
    preInvocation: [],
    postInvocation: [],
    appStart: [],
    appTerminate: [],
    log: [],
  };
  #running: 'none' | 'log' = 'none';

  /** Adds a hook. Throws a RangeError for a name that does not exist, as libraries expect. */
  register(name: unknown, hook: unknown): Disposable {
    if (!isHookName(name)) throw unknownHook(String(name));
    if (typeof hook !== 'function')
      throw workerErrors.create('HOOK_CALLBACK_INVALID', { name, found: describeValue(hook) });
    const hooks = this.#hooks[name];
    const added: Hook = (context) => hook(context);
    hooks.push(added);
    return new Disposable(() => {
      const index = hooks.indexOf(added);
      if (index >= 0) hooks.splice(index, 1);
    });
  }

  has(name: HookName): boolean {
    return this.#hooks[name].length > 0;
  }

  /** `tell` hears of them before and after, in the words of the official worker; of none it hears nothing. */
  async run(name: Exclude<HookName, 'log'>, context: unknown, tell: (text: string) => void): Promise<void> {
    const hooks = [...this.#hooks[name]];
    if (hooks.length === 0) return;
    tell(`Executing ${hooks.length} "${name}" hooks`);
    for (const hook of hooks) await hook(context);
    tell(`Executed "${name}" hooks`);
  }

  /** Runs the log hooks; `onError` hears of one that throws. */
  runLog(context: unknown, onError: (thrown: unknown) => void): void {
    if (this.#running === 'log') return;
    this.#running = 'log';
    try {
      for (const hook of [...this.#hooks.log]) hook(context);
    } catch (thrown) {
      onError(thrown);
    } finally {
      this.#running = 'none';
    }
  }
}

function isHookName(name: unknown): name is HookName {
  return (hookNames as readonly unknown[]).includes(name);
}

/** Libraries look at `name` and at the mark to find out what this worker can do. */
function unknownHook(name: string): RangeError {
  const { message } = workerErrors.create('HOOK_NAME_UNKNOWN', { name, known: hookNames.join(', ') });
  return Object.assign(new RangeError(message), { isAzureFunctionsSystemError: true });
}
