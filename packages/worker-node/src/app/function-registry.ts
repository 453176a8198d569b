/**
 * The functions of one app: registered while its entry files load, or loaded one by one from function.json.
 *
 * Ownership: one per loaded app; a reload makes a new one.
 *
 * I1 Once locked, nothing is registered or removed: the host knows the list by then.
 * I2 Every id is taken at most once.
 * I3 The first registration makes the app a worker-indexed one for good, also when it is disposed again.
 */
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import type { CoreRpcFunctionMetadata, FunctionCallback } from '../core/core-types.ts';
import { describeValue } from '../data/describe-value.ts';
import { parseRegistration, type RegistrationPlace } from '../data/function-metadata.ts';
import { asSystemError, workerErrors } from '../errors.ts';

/** A function that can run. */
export interface AppFunction {
  readonly metadata: CoreRpcFunctionMetadata;
  readonly callback: FunctionCallback;
  /** As the host wants to know it, when the app registered it. */
  readonly rpc?: RpcFunctionMetadata;
}

const nowhere: RegistrationPlace = { directory: 'unknown', scriptFile: 'unknown' };

export class FunctionRegistry {
  readonly #functions = new Map<string, AppFunction>();
  #registration: 'open' | 'locked' = 'open';
  #indexedByWorker = false;

  /** True for an app that registers its functions, false for one with function.json files. */
  get indexedByWorker(): boolean {
    return this.#indexedByWorker;
  }

  /** Adds a function of the app and returns what removes it again. Throws for bad, late and repeated ones. */
  register(metadata: unknown, callback: unknown, place: RegistrationPlace = nowhere): () => void {
    const parsed = parseRegistration(metadata, place);
    const { name, functionId: id } = parsed.metadata;
    if (typeof callback !== 'function')
      throw workerErrors.create('FUNCTION_METADATA_INVALID', {
        name,
        path: 'the callback',
        found: describeValue(callback),
        expected: 'a function',
      });
    if (this.#registration === 'locked') throw asSystemError(workerErrors.create('FUNCTION_REGISTERED_LATE', { name }));
    if (this.#functions.has(id)) throw asSystemError(workerErrors.create('FUNCTION_ID_TAKEN', { id }));
    const added: AppFunction = { ...parsed, callback: callback as FunctionCallback };
    this.#functions.set(id, added);
    this.#indexedByWorker = true;
    return () => {
      if (this.#registration === 'locked') throw asSystemError(workerErrors.create('FUNCTION_REMOVED_LATE', { name }));
      if (this.#functions.get(id) === added) this.#functions.delete(id);
    };
  }

  /** Adds or replaces a function of function.json, which the host loads by its id. */
  put(id: string, loaded: AppFunction): void {
    this.#functions.set(id, loaded);
  }

  /** From now on the list is fixed. */
  lock(): void {
    this.#registration = 'locked';
  }

  find(id: string): AppFunction | undefined {
    return this.#functions.get(id);
  }

  list(): readonly AppFunction[] {
    return [...this.#functions.values()];
  }
}
