/**
 * Whether the host has cancelled an invocation. The AbortSignal is made when somebody asks for it: most functions
 * never do.
 *
 * I1 The signal is aborted exactly when `cancel` was called, before or after it was asked for.
 */
import { workerErrors } from '../errors.ts';

const cancellationKey = Symbol('cancellation');

/** One for all contexts: an object with a getter of its own gets a hidden class of its own, which keeps its invocation. */
const signalProperty: PropertyDescriptor = {
  get(this: { readonly [cancellationKey]?: Cancellation }) {
    return this[cancellationKey]?.signal;
  },
  configurable: true,
};

export class Cancellation {
  readonly #invocationId: string;
  #controller: AbortController | undefined;
  #state: 'running' | 'cancelled' = 'running';

  constructor(invocationId: string) {
    this.#invocationId = invocationId;
  }

  get isCancelled(): boolean {
    return this.#state === 'cancelled';
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.isCancelled && !this.#controller.signal.aborted) this.#controller.abort(this.#reason());
    return this.#controller.signal;
  }

  cancel(): void {
    this.#state = 'cancelled';
    this.#controller?.abort(this.#reason());
  }

  /** Gives the function's context a `signal`, unless it has one or cannot take it. */
  attachTo(context: unknown): void {
    if (typeof context !== 'object' || context === null) return;
    if ('signal' in context || !Object.isExtensible(context)) return;
    Object.defineProperty(context, cancellationKey, { value: this });
    Object.defineProperty(context, 'signal', signalProperty);
  }

  /** True for what a function throws because it was cancelled. */
  explains(thrown: unknown): boolean {
    if (!this.isCancelled) return false;
    if (this.#controller?.signal.reason === thrown) return true;
    return thrown instanceof Error && thrown.name === 'AbortError';
  }

  #reason(): Error {
    return workerErrors.create('INVOCATION_CANCELLED', { invocationId: this.#invocationId });
  }
}
