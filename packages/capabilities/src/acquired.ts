/**
 * What one `acquire` brought: bindings to call, until it is released.
 *
 * I1 `get` gives a binding for what was acquired, and throws the reason for what was not.
 * I2 After `release` nothing of it can be called, and every lease has been given back.
 * I3 A lease in use is renewed when half of its time has passed.
 * I4 A call whose signal aborts fails with CANCELLED at once, and the host is told; a call that is over is not cancelled.
 */

import type { CapabilityTypes } from './builtin-types.ts';
import { cancellableCall } from './cancellable-call.ts';
import { CapabilityError, type CapabilityErrorCode } from './capability-error.ts';
import type {
  AcquireResponse,
  CapabilityHandle,
  CapabilityMethod,
  CapabilityResponse,
  FailureRecord,
  InvokeOptions,
  ServiceBinding,
} from './contract.ts';

/** A lease and its target, as far as the client calls them. */
export interface LeaseEnds {
  readonly name: string;
  readonly version: string;
  readonly shard: string;
  readonly tier: 1 | 2 | 3;
  readonly expiresAtMs: number;
  invoke(method: string, parameters: readonly unknown[], options: InvokeOptions): PromiseLike<unknown>;
  cancel(callId: string): PromiseLike<unknown>;
  renew(): PromiseLike<number>;
  release(): PromiseLike<unknown>;
}

export interface AcquiredParts {
  readonly success: boolean;
  readonly leases: readonly LeaseEnds[];
  readonly missing: readonly string[];
  readonly failures: readonly FailureRecord[];
  readonly warnings: readonly string[];
  /** The trace context that goes with a call that names none; asked at every call, because code of many traces shares a binding. */
  traceparent(): string | undefined;
  /** Epoch milliseconds. */
  now(): number;
  /** Told of every call that fails. Absent: results that nobody awaits are never asked for. */
  failed?(error: unknown): void;
}

/** A handle that also knows where it leads. */
export interface AcquiredHandle extends CapabilityHandle {
  readonly name: string;
  readonly version: string;
  readonly shard: string;
  readonly tier: 1 | 2 | 3;
}

export class AcquiredCapabilities implements CapabilityResponse, AcquireResponse {
  readonly success: boolean;
  readonly acquired: string[];
  readonly missing: string[];
  readonly endpoints: Map<string, ServiceBinding>;
  readonly handles: Map<string, AcquiredHandle>;
  readonly errors: Map<string, string>;
  readonly warnings: readonly string[];
  readonly #failures: ReadonlyMap<string, FailureRecord>;
  readonly #expiries: (() => number)[] = [];

  constructor(parts: AcquiredParts) {
    this.success = parts.success;
    this.missing = [...parts.missing];
    this.warnings = parts.warnings;
    this.acquired = parts.leases.map(({ name }) => name);
    this.#failures = new Map(parts.failures.map((failure) => [failure.name, failure]));
    this.errors = new Map(parts.failures.map(({ name, code, message }) => [name, `${code}: ${message}`]));
    this.handles = new Map(parts.leases.map((lease) => [lease.name, this.#handleOf(lease, parts)]));
    this.endpoints = new Map([...this.handles].map(([name, handle]) => [name, bindingOf(handle)]));
  }

  /** When the first of its leases ends if nobody uses it, in epoch milliseconds. */
  get expiresAtMs(): number {
    return Math.min(...this.#expiries.map((expiry) => expiry()));
  }

  /** The binding of a capability: `get('data.sql').query(...)`. Throws why when it was not acquired. */
  get<Name extends keyof CapabilityTypes>(name: Name): CapabilityTypes[Name];
  get<Methods extends object = Readonly<Record<string, CapabilityMethod>>>(name: string): ServiceBinding<Methods>;
  get(name: string): ServiceBinding {
    const binding = this.endpoints.get(name);
    if (binding !== undefined) return binding;
    const failure = this.#failures.get(name) ?? [...this.#failures.values()][0];
    if (failure === undefined)
      throw new CapabilityError(
        'CAPABILITY_NOT_FOUND',
        `'${name}' was not asked for. Acquired: ${this.acquired.join(', ')}.`,
      );
    const why =
      failure.name === name
        ? failure.message
        : `'${failure.name}' was not to be had, so nothing was: ${failure.message}`;
    throw new CapabilityError(failure.code as CapabilityErrorCode, why, failure.retryable);
  }

  /** Gives everything back; again is fine. */
  async release(): Promise<void> {
    await Promise.all([...this.handles.values()].map((handle) => handle.release()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #handleOf(lease: LeaseEnds, { now, traceparent, failed }: AcquiredParts): AcquiredHandle {
    const { name, version, shard, tier } = lease;
    let { expiresAtMs } = lease;
    let halfMs = (expiresAtMs - now()) / 2;
    let released = false;
    let calls = 0;
    this.#expiries.push(() => (released ? 0 : expiresAtMs));
    const renew = (): void => {
      if (expiresAtMs - now() > halfMs) return;
      // Once, until the answer is there.
      halfMs = Number.NEGATIVE_INFINITY;
      lease.renew().then(
        (laterMs) => {
          expiresAtMs = laterMs;
          halfMs = (laterMs - now()) / 2;
        },
        () => {},
      );
    };
    return {
      ...{ name, version, shard, tier },
      invoke: (method, parameters, options = {}) => {
        if (released) return Promise.reject(releasedError(name));
        renew();
        const { signal, ...rest } = options;
        const traced = withTrace(rest, traceparent);
        if (signal !== undefined) {
          calls += 1;
          const call = { method, parameters, options: { ...traced, callId: `call-${calls}` } };
          return cancellableCall(lease, call, { signal, ...(failed && { failed }) });
        }
        // The library's promise is handed on as it is: it can be a parameter of the next call before it is settled.
        const answer = lease.invoke(method, parameters, traced);
        if (failed !== undefined) answer.then(undefined, failed);
        return answer as Promise<unknown>;
      },
      release: async () => {
        if (released) return;
        released = true;
        await Promise.resolve(lease.release()).catch(() => {});
      },
    };
  }
}

/** An object on which every name is a method of the capability. */
function bindingOf(handle: CapabilityHandle): ServiceBinding {
  const methods = new Map<string, CapabilityMethod>();
  return new Proxy<Record<string, CapabilityMethod>>(Object.create(null), {
    get: (_binding, name) => {
      // Whoever awaits a binding must find that it is no promise.
      if (typeof name !== 'string' || name === 'then') return undefined;
      const known = methods.get(name);
      if (known !== undefined) return known;
      const method: CapabilityMethod = (...parameters) => handle.invoke(name, parameters);
      methods.set(name, method);
      return method;
    },
    set: () => false,
  });
}

function withTrace(options: InvokeOptions, current: () => string | undefined): InvokeOptions {
  if (options.traceparent !== undefined) return options;
  const traceparent = current();
  return traceparent === undefined ? options : { ...options, traceparent };
}

function releasedError(name: string): CapabilityError {
  return new CapabilityError('RELEASED', `'${name}' was released. Acquire it again.`);
}
