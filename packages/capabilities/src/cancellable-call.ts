import type { LeaseEnds } from './acquired.ts';
import { CapabilityError } from './capability-error.ts';
import type { InvokeOptions } from './contract.ts';

/** A call as it leaves; its id is its own within the lease. */
export interface NamedCall {
  readonly method: string;
  readonly parameters: readonly unknown[];
  readonly options: InvokeOptions & { readonly callId: string };
}

export interface CancellableOptions {
  readonly signal: AbortSignal;
  /** Told of a failure of the call itself. */
  failed?(error: unknown): void;
}

/** Makes a call that ends with CANCELLED when the signal aborts; the host is told, and need not answer. */
export function cancellableCall(
  lease: Pick<LeaseEnds, 'name' | 'invoke' | 'cancel'>,
  { method, parameters, options }: NamedCall,
  { signal, failed }: CancellableOptions,
): Promise<unknown> {
  const cancelled = (): CapabilityError =>
    new CapabilityError('CANCELLED', `'${method}' of '${lease.name}' was cancelled by its caller.`);
  if (signal.aborted) return Promise.reject(cancelled());
  const answer = lease.invoke(method, parameters, options);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(cancelled());
      // A host that knows no cancelling lets the call run to its end.
      lease.cancel(options.callId).then(undefined, () => {});
    };
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        failed?.(error);
        reject(error);
      },
    );
  });
}
