/** What hooks are called with. Assigning to a read-only member throws, as libraries expect. */
import type { CoreLogCategory, CoreLogLevel, FunctionCallback } from '../core/core-types.ts';

/** Data that hooks share. */
export type HookData = Record<string, unknown>;

/** The two stores of data that a hook may use: its own scope's, and the whole app's. */
export interface HookStores {
  readonly hookData: HookData;
  readonly appHookData: HookData;
}

class HookContext {
  readonly #stores: HookStores;

  constructor(stores: HookStores) {
    this.#stores = stores;
  }

  get hookData(): HookData {
    return this.#stores.hookData;
  }
  set hookData(_value: unknown) {
    throw readOnly('hookData');
  }

  get appHookData(): HookData {
    return this.#stores.appHookData;
  }
  set appHookData(_value: unknown) {
    throw readOnly('appHookData');
  }
}

/** For appStart hooks. */
export class AppStartContext extends HookContext {
  readonly functionAppDirectory: string;

  constructor(stores: HookStores, functionAppDirectory: string) {
    super(stores);
    this.functionAppDirectory = functionAppDirectory;
  }
}

/** For appTerminate hooks. */
export class AppTerminateContext extends HookContext {}

class ScopedContext extends HookContext {
  readonly #invocationContext: unknown;

  constructor(stores: HookStores, invocationContext: unknown) {
    super(stores);
    this.#invocationContext = invocationContext;
  }

  get invocationContext(): unknown {
    return this.#invocationContext;
  }
  set invocationContext(_value: unknown) {
    throw readOnly('invocationContext');
  }
}

/** For preInvocation hooks, which may change the inputs and the function. */
export class PreInvocationContext extends ScopedContext {
  inputs: unknown[];
  functionCallback: FunctionCallback;

  constructor(stores: HookStores, invocationContext: unknown, inputs: unknown[], functionCallback: FunctionCallback) {
    super(stores, invocationContext);
    this.inputs = inputs;
    this.functionCallback = functionCallback;
  }
}

/** For postInvocation hooks, which may change the outcome. Null and undefined mean no error. */
export class PostInvocationContext extends ScopedContext {
  inputs: unknown[];
  result: unknown;
  error: unknown;

  constructor(stores: HookStores, invocationContext: unknown, inputs: unknown[], result: unknown, error: unknown) {
    super(stores, invocationContext);
    this.inputs = inputs;
    this.result = result;
    this.error = error;
  }
}

/** For log hooks, which may change level and message of the user's own lines. */
export class LogContext extends ScopedContext {
  level: CoreLogLevel;
  message: string;
  readonly #category: CoreLogCategory;

  constructor(
    stores: HookStores,
    invocationContext: unknown,
    level: CoreLogLevel,
    category: CoreLogCategory,
    message: string,
  ) {
    super(stores, invocationContext);
    this.level = level;
    this.message = message;
    this.#category = category;
  }

  get category(): CoreLogCategory {
    return this.#category;
  }
  set category(_value: unknown) {
    throw readOnly('category');
  }
}

function readOnly(name: string): TypeError {
  return Object.assign(new TypeError(`Cannot assign to read only property '${name}'`), {
    isAzureFunctionsSystemError: true,
  });
}
