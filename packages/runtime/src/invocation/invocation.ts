/**
 * One event on its way through a function: read the inputs, send it to a worker, perhaps again, write the outputs.
 *
 * Phases: Reading (inputs) -> Calling (held or on a worker) -> Writing (outputs) -> Done; Calling -> Waiting (for a retry)
 * -> Reading. Ownership: the executor starts it; while Calling it is the dispatcher's.
 *
 * I1 `done` is called exactly once.
 * I2 Only a function that failed is tried again; one that nobody knows the end of is lost, for its source to decide.
 * I3 The response's values are written before the invocation counts as succeeded, and only then.
 * I4 A retry policy's state goes to the worker from the first attempt on.
 */
import {
  assertNever,
  isPlatformError,
  messageOf,
  type PlatformError,
  type RunningFunction,
  StateMachine,
  type Timer,
} from '@switchyard/kernel';
import type { RetryPolicy } from '@switchyard/model';
import {
  type InvocationResponse,
  type ParameterBinding,
  type RetryContext,
  StatusResult_Status,
  StreamingMessage,
  type TypedData,
} from '@switchyard/protocol';
import { type InvocationError, type InvocationOutcome, isNothing, type TriggerEvent } from '@switchyard/triggers';
import { runtimeErrors, toInvocationError } from '../errors.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { Call, CallResult } from '../worker-registry/call.ts';
import type { WorkerCapabilities } from '../worker-registry/capabilities.ts';
import { succeeded, toError } from '../worker-stream/status-result.ts';
import type { EventSource, InvocationHost, RunOptions } from './executor.ts';
import { collectValues, type InvocationValues } from './outputs.ts';
import { mayRetry, retryDelayMs } from './retry.ts';
import { isSampled, toSpan } from './to-span.ts';
import type { TraceContext } from './trace-context.ts';

type Phase =
  | { readonly kind: 'reading' }
  | { readonly kind: 'calling' }
  | { readonly kind: 'writing' }
  | { readonly kind: 'waiting'; readonly timer: Timer; readonly end: () => void }
  | { readonly kind: 'done' };

const edges = {
  reading: ['calling', 'waiting', 'done'],
  calling: ['writing', 'waiting', 'done'],
  writing: ['waiting', 'done'],
  waiting: ['reading', 'done'],
  done: [],
} as const;

/** Phases without resources of their own. */
const reading: Phase = { kind: 'reading' };
const calling: Phase = { kind: 'calling' };
const writing: Phase = { kind: 'writing' };
const done: Phase = { kind: 'done' };

const noInputs: readonly ParameterBinding[] = [];

export class Invocation implements Call {
  sentAtMs = 0;
  readonly #host: InvocationHost;
  readonly #entry: FunctionEntry;
  readonly #source: EventSource;
  readonly #keepsId: boolean;
  readonly #retry: RetryPolicy | undefined;
  readonly #done: (outcome: InvocationOutcome) => void;
  readonly #machine = new StateMachine<Phase>(reading, edges);
  #invocationId: string;
  #event: TriggerEvent | undefined;
  #inputs = noInputs;
  #startedAtMs = 0;
  #failures = 0;
  #lastError: InvocationError | undefined;
  #trace: TraceContext | undefined;
  /** The try that runs, or ran last, was told of. */
  #isTold = false;

  constructor(
    host: InvocationHost,
    entry: FunctionEntry,
    source: EventSource,
    options: RunOptions,
    onDone: (outcome: InvocationOutcome) => void,
  ) {
    this.#host = host;
    this.#entry = entry;
    this.#source = source;
    this.#keepsId = options.keepsId;
    this.#retry = options.retries ? entry.retry : undefined;
    this.#done = onDone;
    this.#invocationId = host.random.uuid();
  }

  get invocationId(): string {
    return this.#invocationId;
  }

  get functionId(): string {
    return this.#entry.metadata.functionId;
  }

  get functionName(): string {
    return this.#entry.metadata.name;
  }

  get partitionKey(): string | undefined {
    return this.#source.partitionKey;
  }

  start(): void {
    const { clock, invocationLog } = this.#host;
    this.#startedAtMs = clock.monotonic();
    this.#isTold = false;
    invocationLog.executing(this.#entry, this.#invocationId, this.#source.reason);
    const { details } = this.#source;
    if (details !== undefined) invocationLog.triggerDetails(this.#entry, this.#invocationId, details);
    if (this.#entry.inputs.length === 0) {
      this.#call();
      return;
    }
    this.#readInputs().then(
      (inputs) => {
        this.#inputs = inputs;
        this.#call();
      },
      (thrown: unknown) => this.#fail(errorOf(thrown)),
    );
  }

  /** Nobody waits for the outcome any more. What runs on a worker runs on, unless the worker can cancel it. */
  cancel(): void {
    const { state } = this.#machine;
    if (state.kind === 'calling') this.#host.dispatcher.cancel(this.#invocationId);
    else if (state.kind === 'waiting') {
      this.#endWait(state);
      this.#finish({ kind: 'cancelled', invocationId: this.#invocationId });
    }
  }

  /** What belongs to it cannot reach its worker, which would wait for that: it fails now. */
  giveUp(error: PlatformError): void {
    if (this.#machine.kind === 'calling') this.#host.dispatcher.giveUp(this.#invocationId, toInvocationError(error));
  }

  encode(capabilities: WorkerCapabilities): Uint8Array {
    this.#source.sending?.(capabilities, this.#invocationId);
    const event = this.#eventFor(capabilities);
    const frame = StreamingMessage.encode({
      requestId: '',
      content: {
        $case: 'invocationRequest',
        value: {
          invocationId: this.#invocationId,
          functionId: this.#entry.metadata.functionId,
          inputData: [toParameter(this.#entry.metadata.trigger.name, event.data), ...this.#inputs],
          triggerMetadata: event.metadata,
          traceContext: { ...this.#traceOf(event), attributes: none, baggage: none },
          retryContext: this.#retryContext(),
        },
      },
    }).finish();
    this.#source.serialized?.();
    return frame;
  }

  settle(result: CallResult): void {
    switch (result.kind) {
      case 'answered':
        this.#answered(result.response);
        return;
      case 'refused':
        this.#fail(result.error);
        return;
      case 'cancelled':
        this.#cancelled();
        return;
      case 'lost': {
        const { reason, error } = result;
        this.#logFailure(error);
        this.#finish({ kind: 'lost', invocationId: this.#invocationId, reason, error });
        return;
      }
      default:
        assertNever(result);
    }
  }

  #call(): void {
    this.#machine.transition(calling);
    this.#host.dispatcher.submit(this);
  }

  #answered(response: InvocationResponse): void {
    if (response.result?.status === StatusResult_Status.Cancelled) this.#cancelled();
    else if (succeeded(response.result)) this.#deliver(response);
    else this.#fail(toError(response.result));
  }

  #deliver(response: InvocationResponse): void {
    this.#machine.transition(writing);
    let values: InvocationValues;
    try {
      values = collectValues(this.#entry, response);
    } catch (thrown) {
      this.#fail(errorOf(thrown));
      return;
    }
    const settling = this.#source.settling?.(response);
    if (settling !== undefined) this.#keepSettling(settling);
    if (this.#entry.outputs.length === 0 && settling === undefined) {
      this.#succeed(values);
      return;
    }
    Promise.all([this.#writeOutputs(values), settling]).then(
      () => this.#succeed(values),
      (thrown: unknown) => this.#fail(errorOf(thrown)),
    );
  }

  #keepSettling(settling: Promise<void>): void {
    const { settlings } = this.#host;
    settlings.add(settling);
    const forget = (): boolean => settlings.delete(settling);
    settling.then(forget, forget);
  }

  #succeed(values: InvocationValues): void {
    const durationMs = this.#host.clock.monotonic() - this.#startedAtMs;
    this.#host.invocationLog.succeeded(this.#entry, this.#invocationId, durationMs);
    const { outputs, returnValue } = values;
    this.#finish({ kind: 'succeeded', invocationId: this.#invocationId, outputs, returnValue });
  }

  #cancelled(): void {
    this.#logFailure({ message: 'The invocation was cancelled.', stack: '', type: '' });
    this.#finish({ kind: 'cancelled', invocationId: this.#invocationId });
  }

  #fail(error: InvocationError): void {
    this.#logFailure(error);
    this.#failures += 1;
    this.#lastError = error;
    if (mayRetry(this.#retry, this.#failures) && this.#source.isSpent !== true) {
      this.#endTry(error, false);
      this.#waitForRetry();
    } else this.#finish({ kind: 'failed', invocationId: this.#invocationId, error });
  }

  #waitForRetry(): void {
    const { clock, random, waits, isClosing } = this.#host;
    if (isClosing(this.#keepsId) || this.#retry === undefined) {
      this.#stop();
      return;
    }
    this.#source.retrying?.();
    const delayMs = retryDelayMs(this.#retry, this.#failures, random);
    const timer = clock.schedule(delayMs, () => {
      waits.delete(end);
      this.#machine.transition(reading);
      if (!this.#keepsId) this.#invocationId = random.uuid();
      this.start();
    });
    const end = (): void => {
      timer.cancel();
      waits.delete(end);
      this.#stop();
    };
    waits.set(end, this.#keepsId);
    this.#machine.transition({ kind: 'waiting', timer, end });
  }

  #endWait(state: Extract<Phase, { kind: 'waiting' }>): void {
    state.timer.cancel();
    this.#host.waits.delete(state.end);
  }

  #stop(): void {
    const error = toInvocationError(runtimeErrors.create('INVOCATION_STOPPING'));
    this.#finish({ kind: 'lost', invocationId: this.#invocationId, reason: 'stopping', error });
  }

  #finish(outcome: InvocationOutcome): void {
    this.#machine.transition(done);
    this.#host.meter.count('invocations_completed', 1, this.#entry.labels[outcome.kind]);
    try {
      this.#done(outcome);
    } finally {
      // Now it is known what a caller was answered.
      this.#endTry('error' in outcome ? outcome.error : undefined, outcome.kind === 'succeeded');
    }
  }

  #logFailure(error: InvocationError): void {
    const durationMs = this.#host.clock.monotonic() - this.#startedAtMs;
    this.#host.invocationLog.failed(this.#entry, this.#invocationId, durationMs, error);
  }

  /** The context that the worker gets: the span of this try, under the caller's. */
  #traceOf({ traceParent, traceState }: TriggerEvent): { readonly traceParent: string; readonly traceState: string } {
    this.#trace = this.#host.traces.childOf(traceParent, traceState);
    if (this.#host.telemetry?.isOpen === true) this.#host.telemetry.began(this.#identityIn(this.#trace));
    return { traceParent: this.#trace.traceParent, traceState: this.#trace.traceState };
  }

  /** Tells of the try that ended, whoever listens. */
  #endTry(error: InvocationError | undefined, isSuccess: boolean): void {
    const { spans, telemetry, clock } = this.#host;
    const trace = this.#trace;
    this.#trace = undefined;
    if (this.#isTold || (spans === undefined && telemetry?.isOpen !== true)) return;
    this.#isTold = true;
    const durationMs = clock.monotonic() - this.#startedAtMs;
    const endMs = clock.now();
    const { invocationId } = this;
    if (spans !== undefined && trace !== undefined && isSampled(trace))
      spans.ended(toSpan(trace, this.#entry, { invocationId, endMs, durationMs, isError: !isSuccess }));
    if (telemetry?.isOpen !== true) return;
    const known = trace ?? this.#host.traces.childOf(undefined, undefined);
    const { reason, http } = this.#source;
    const times = { startMs: endMs - durationMs, durationMs };
    const { parentSpanId } = known;
    telemetry.ended({ ...this.#identityIn(known), ...times, parentSpanId, reason, http, error, isSuccess });
  }

  #identityIn({ traceParent }: TraceContext): RunningFunction {
    const [, traceId = '', spanId = ''] = traceParent.split('-');
    return { invocationId: this.#invocationId, functionName: this.functionName, traceId, spanId };
  }

  /** The event is made once: all workers of an app have the same capabilities. */
  #eventFor(capabilities: WorkerCapabilities): TriggerEvent {
    this.#event ??= this.#source.event(capabilities, this.#invocationId);
    return this.#event;
  }

  #retryContext(): RetryContext | undefined {
    const { retry } = this.#entry;
    if (retry === undefined) return undefined;
    const last = this.#lastError;
    return {
      retryCount: this.#failures,
      maxRetryCount: retry.maxRetryCount,
      exception: last && {
        source: '',
        stackTrace: last.stack,
        message: last.message,
        isUserException: false,
        type: last.type,
      },
    };
  }

  async #readInputs(): Promise<readonly ParameterBinding[]> {
    const { metadata } = this.#eventFor(this.#host.capabilities());
    const read = async ({ name, read: readValue }: FunctionEntry['inputs'][number]) => {
      const value = await readValue(metadata);
      return value === undefined ? [] : [toParameter(name, value)];
    };
    return (await Promise.all(this.#entry.inputs.map(read))).flat();
  }

  /** Every output is tried, so that one that fails keeps no other back; then the first failure counts. */
  async #writeOutputs({ outputs }: InvocationValues): Promise<void> {
    const metadata = this.#eventFor(this.#host.capabilities()).metadata;
    const writes = this.#entry.outputs.map(async ({ name, write }) => {
      const value = outputs.get(name);
      if (value !== undefined && !isNothing(value)) await write(value, metadata);
    });
    for (const written of await Promise.allSettled(writes)) {
      if (written.status === 'rejected') throw written.reason;
    }
  }
}

/** Never written to. */
const none = new Map<string, string>();

function toParameter(name: string, value: TypedData): ParameterBinding {
  return { name, rpcData: { $case: 'data', value } };
}

function errorOf(thrown: unknown): InvocationError {
  if (isPlatformError(thrown)) return toInvocationError(thrown);
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  return { message: messageOf(thrown), stack, type: thrown instanceof Error ? thrown.name : '' };
}
