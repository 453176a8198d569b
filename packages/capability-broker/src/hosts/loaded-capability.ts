/**
 * One capability inside a host: guards every call of every lease.
 *
 * Ownership: the host owns it; it owns the instance that the module made, and disposes of it at `close`.
 *
 * I1 A target answers RELEASED from the moment its lease ended, and its running calls are told to stop and fail so.
 * I2 No more than `maxConcurrentCalls` calls run at once, and no more than three quarters of them for one account, so that
 *    another always finds room; the next one fails with RESOURCE_EXHAUSTED.
 * I3 A call that takes longer than its limit fails with TIMEOUT, and its signal aborts.
 * I4 Parameters and results that are too large, too deep, cyclic or of a foreign class fail with INVALID_PAYLOAD.
 * I5 Only the methods that the instance lists can be called, whatever name a caller sends.
 * I6 Two calls of one account with one method and one idempotency key run it once, unless the first failed.
 * I7 What a method throws reaches the caller as CAPABILITY_FAILED with its message, without stack or cause; the errors
 *    of this package's catalogue pass as they are.
 * I8 A call of a sampled trace is a span of it, which its own calls of dependencies continue.
 * I9 `cancel` ends a running call of the same lease with CANCELLED; one that is over, or of another lease, stays as it is.
 */
import { type CapabilityTarget, type InvokeOptions, RpcTarget } from '@switchyard/capabilities';
import {
  type Clock,
  createDeferred,
  isPlatformError,
  messageOf,
  type PlatformError,
  TransientMap,
  TransientSet,
} from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type { OpenSpan, Spans } from '../tracing/spans.ts';
import type { CallContext, CapabilityDependency, CapabilityFunction, CapabilityInstance } from './capability-module.ts';
import type { LoadOrder, OpenOrder } from './host-contract.ts';
import { measurePayload } from './measure-payload.ts';

/** How deep parameters and results may nest. */
export const maxPayloadDepth = 64;

/** How much of a capability's calls one account may have at once. */
const accountShare = 0.75;

/** How many idempotency keys a capability remembers, oldest first out. */
const maxRememberedKeys = 1_000;

/** Counts since the capability was loaded. */
export interface CallCounts {
  calls: number;
  failures: number;
  timeouts: number;
  inFlight: number;
}

interface OpenLease {
  readonly order: OpenOrder;
  readonly dependencies: Readonly<Record<string, CapabilityTarget>>;
  /** Ends the running calls. */
  readonly stops: TransientSet<(error: PlatformError) => void>;
  /** The same for calls that the caller named. */
  readonly named: TransientMap<string, (error: PlatformError) => void>;
  ended: boolean;
}

export class LoadedCapability {
  readonly order: LoadOrder;
  readonly counts: CallCounts = { calls: 0, failures: 0, timeouts: 0, inFlight: 0 };
  readonly #clock: Clock;
  readonly #spans: Spans;
  readonly #instance: CapabilityInstance;
  readonly #leases = new Map<string, OpenLease>();
  readonly #answers = new TransientMap<string, unknown>();
  /** How many calls of each account run. */
  readonly #busy = new TransientMap<string, number>();

  constructor(deps: { readonly clock: Clock; readonly spans: Spans }, order: LoadOrder, instance: CapabilityInstance) {
    this.#clock = deps.clock;
    this.#spans = deps.spans;
    this.order = order;
    this.#instance = instance;
  }

  get methods(): string[] {
    return Object.keys(this.#instance.methods).filter((name) => this.#methodOf(name) !== undefined);
  }

  get leases(): number {
    return this.#leases.size;
  }

  open(order: OpenOrder, dependencies: Readonly<Record<string, CapabilityTarget>>): CapabilityTarget {
    const lease: OpenLease = {
      order,
      dependencies,
      stops: new TransientSet(),
      named: new TransientMap(),
      ended: false,
    };
    this.#leases.set(order.leaseId, lease);
    return new LeasedTarget(
      (method, parameters, options) => this.#call(lease, method, parameters, options),
      (callId) => this.#cancel(lease, callId),
    );
  }

  /** Ends a lease; returns false when there is none. */
  end(leaseId: string): boolean {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) return false;
    this.#leases.delete(leaseId);
    lease.ended = true;
    for (const stop of [...lease.stops]) stop(this.#released());
    this.#instance.leaseEnded?.(leaseId, lease.order.account);
    return true;
  }

  /** Ends all leases and disposes of the instance. */
  async close(): Promise<void> {
    for (const leaseId of [...this.#leases.keys()]) this.end(leaseId);
    this.#answers.clear();
    await this.#instance.dispose?.();
  }

  #call(lease: OpenLease, method: string, parameters: readonly unknown[], options: InvokeOptions): unknown {
    const { idempotencyKey } = options;
    if (idempotencyKey === undefined) return this.#run(lease, method, parameters, options);
    const key = JSON.stringify([lease.order.account, method, String(idempotencyKey)]);
    if (!lease.ended && this.#answers.has(key)) return this.#answers.get(key);
    const answer = this.#run(lease, method, parameters, options);
    this.#answers.set(key, answer);
    // A call that failed may be sent again.
    if (answer instanceof Promise) answer.catch(() => this.#answers.delete(key));
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > maxRememberedKeys && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  }

  #run(lease: OpenLease, method: string, parameters: readonly unknown[], options: InvokeOptions): unknown {
    const { name } = this.order;
    if (lease.ended) throw this.#released();
    const work = this.#methodOf(method);
    if (work === undefined) {
      const methods = this.methods.join(', ');
      throw capabilityErrors.create('METHOD_NOT_FOUND', { name, method: String(method).slice(0, 100), methods });
    }
    if (!Array.isArray(parameters)) throw this.#invalid(`The parameters of '${method}'`, 'they are no list');
    this.#check(parameters, `The parameters of '${method}'`);
    this.#checkRoom(lease.order.account);
    this.counts.calls += 1;
    const call = new RunningCall(lease, this.#beginSpan(method, options));
    let result: unknown;
    try {
      result = work.apply(this.#instance.methods, [call, ...parameters] as never);
      if (!isThenable(result)) this.#check(result, `The result of '${method}'`);
    } catch (error) {
      throw this.#failed(method, error, call);
    }
    if (!isThenable(result)) {
      call.span?.end();
      return result;
    }
    return this.#settle(lease, method, call, result, options);
  }

  async #settle(
    lease: OpenLease,
    method: string,
    call: RunningCall,
    result: PromiseLike<unknown>,
    options: InvokeOptions,
  ): Promise<unknown> {
    const timeoutMs = timeoutOf(options, this.order.limits.maxExecutionMs);
    const { callId } = options;
    const { account } = lease.order;
    this.counts.inFlight += 1;
    this.#busy.set(account, (this.#busy.get(account) ?? 0) + 1);
    const stopped = createDeferred<never>();
    const stop = (error: PlatformError): void => {
      // The caller hears of the reason, not of what the method makes of its signal.
      stopped.reject(error);
      call.abort(error);
    };
    lease.stops.add(stop);
    if (typeof callId === 'string') lease.named.set(callId, stop);
    const timer = this.#clock.schedule(timeoutMs, () => {
      this.counts.timeouts += 1;
      stop(capabilityErrors.create('TIMEOUT', { what: `'${method}' of '${this.order.name}'`, timeoutMs }));
    });
    try {
      const settled = await Promise.race([result, stopped.promise]);
      this.#check(settled, `The result of '${method}'`);
      call.span?.end();
      return settled;
    } catch (error) {
      throw this.#failed(method, error, call);
    } finally {
      timer.cancel();
      lease.stops.delete(stop);
      if (typeof callId === 'string' && lease.named.get(callId) === stop) lease.named.delete(callId);
      this.counts.inFlight -= 1;
      const busy = (this.#busy.get(account) ?? 1) - 1;
      if (busy === 0) this.#busy.delete(account);
      else this.#busy.set(account, busy);
    }
  }

  #cancel({ named }: OpenLease, callId: string): void {
    const what = `A call of '${this.order.name}'`;
    named.get(callId)?.(capabilityErrors.create('CANCELLED', { what, reason: 'its caller needs it no more' }));
  }

  #methodOf(name: unknown): CapabilityFunction | undefined {
    if (typeof name !== 'string' || !Object.hasOwn(this.#instance.methods, name)) return undefined;
    const method: unknown = this.#instance.methods[name];
    return typeof method === 'function' ? (method as CapabilityFunction) : undefined;
  }

  #checkRoom(account: string): void {
    const { name, limits } = this.order;
    const share = Math.ceil(limits.maxConcurrentCalls * accountShare);
    const isFull = this.counts.inFlight >= limits.maxConcurrentCalls;
    if (!isFull && (this.#busy.get(account) ?? 0) < share) return;
    throw capabilityErrors.create('RESOURCE_EXHAUSTED', {
      what: `'${name}'`,
      limit: isFull ? `${limits.maxConcurrentCalls} calls` : `${share} calls of one account`,
      reason: 'they are all busy',
    });
  }

  /** Most calls belong to no trace, and cost no span. */
  #beginSpan(method: string, { traceparent }: InvokeOptions): OpenSpan | undefined {
    if (typeof traceparent !== 'string' || traceparent === '') return undefined;
    return this.#spans.begin(`${this.order.name}.${method}`, traceparent);
  }

  #check(value: unknown, what: string): void {
    const { maxPayloadBytes: maxBytes } = this.order.limits;
    const measure = measurePayload(value, { maxBytes, maxDepth: maxPayloadDepth });
    if (measure.kind === 'refused') throw this.#invalid(what, measure.reason);
  }

  #invalid(what: string, reason: string): PlatformError {
    return capabilityErrors.create('INVALID_PAYLOAD', { what, reason });
  }

  #released(): PlatformError {
    return capabilityErrors.create('RELEASED', { name: this.order.name, reason: 'it was released or taken back' });
  }

  #failed(method: string, error: unknown, { span }: RunningCall): PlatformError {
    this.counts.failures += 1;
    const failure = this.#toFailure(method, error);
    span?.end(failure.code);
    return failure;
  }

  #toFailure(method: string, error: unknown): PlatformError {
    if (isPlatformError(error)) return error;
    return capabilityErrors.create(
      'CAPABILITY_FAILED',
      { name: this.order.name, method, reason: messageOf(error) },
      error,
    );
  }
}

/** What callers hold. It has these two methods, so a peer can reach nothing else. */
class LeasedTarget extends RpcTarget implements CapabilityTarget {
  readonly #call: (method: string, parameters: readonly unknown[], options: InvokeOptions) => unknown;

  readonly #cancel: (callId: string) => void;

  constructor(
    call: (method: string, parameters: readonly unknown[], options: InvokeOptions) => unknown,
    cancel: (callId: string) => void,
  ) {
    super();
    this.#call = call;
    this.#cancel = cancel;
  }

  cancel(callId: string): void {
    this.#cancel(callId);
  }

  invoke(method: string, parameters: readonly unknown[], options: InvokeOptions = {}): unknown {
    return this.#call(method, parameters, options ?? {});
  }
}

/** The signal is only made for capabilities that ask for it: most calls are shorter than making one. */
class RunningCall implements CallContext {
  readonly span: OpenSpan | undefined;
  readonly #lease: OpenLease;
  #controller: AbortController | undefined;
  #reason: PlatformError | undefined;

  constructor(lease: OpenLease, span: OpenSpan | undefined) {
    this.#lease = lease;
    this.span = span;
  }

  get traceparent(): string {
    return this.span?.traceparent ?? '';
  }

  get account(): string {
    return this.#lease.order.account;
  }

  get leaseId(): string {
    return this.#lease.order.leaseId;
  }

  get dependencies(): Readonly<Record<string, CapabilityDependency>> {
    const { span } = this;
    return span === undefined ? this.#lease.dependencies : traced(this.#lease.dependencies, span.traceparent);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: PlatformError): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** The same dependencies, told of the trace. */
function traced(
  dependencies: Readonly<Record<string, CapabilityTarget>>,
  traceparent: string,
): Readonly<Record<string, CapabilityDependency>> {
  const entries = Object.entries(dependencies).map(([name, target]): [string, CapabilityDependency] => [
    name,
    { invoke: (method, parameters) => target.invoke(method, parameters, { traceparent }) },
  ]);
  return Object.fromEntries(entries);
}

function timeoutOf({ timeoutMs }: InvokeOptions, maximumMs: number): number {
  return typeof timeoutMs === 'number' && timeoutMs > 0 ? Math.min(timeoutMs, maximumMs) : maximumMs;
}

/** Native promises and what the library's stubs return alike. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
