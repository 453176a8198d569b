/**
 * What a trigger or binding kind is. One folder per kind; `registry.ts` lists them all, so a new kind is a new folder
 * and one line there.
 *
 * A kind parses its binding once, into resolved options, and then works with those alone. Parsing throws a PlatformError
 * that names the function, the binding, the key, the value and the fix; the function is rejected, the others run.
 */
import type { Clock, Log, Meter, Random } from '@switchyard/kernel';
import type {
  BindingMetadata,
  FunctionMetadata,
  HostExtensions,
  SettingsView,
  SingletonSettings,
} from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { HttpTriggerOptions } from './http/contract.ts';

/** One thing that happened, ready to become an invocation. */
export interface TriggerEvent {
  /** The value of the trigger binding. */
  readonly data: TypedData;
  /** `trigger_metadata` as the worker gets it; also the binding data of `{name}` expressions. */
  readonly metadata: Map<string, TypedData>;
  /** The host's words for why, for example `New queue message detected on 'orders'.` */
  readonly reason: string;
  /** The `Trigger Details` line, in order. */
  readonly details?: Readonly<Record<string, string>>;
  /** W3C trace context of the caller, where there is one. */
  readonly traceParent?: string;
  readonly traceState?: string;
  /** Events with the same key go to the same worker, where the app wants that. */
  readonly partitionKey?: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** How one invocation ended. Exactly one outcome per event. */
export type InvocationOutcome =
  | {
      readonly kind: 'succeeded';
      readonly invocationId: string;
      /** Values for output bindings, by binding name; `$return` included when the function has one. */
      readonly outputs: ReadonlyMap<string, TypedData>;
      readonly returnValue: TypedData | undefined;
    }
  /** The function threw, or one of its bindings could not be read or written; retries, where configured, are spent. */
  | { readonly kind: 'failed'; readonly invocationId: string; readonly error: InvocationError }
  | { readonly kind: 'cancelled'; readonly invocationId: string }
  /** Nobody knows how far the function came: abandon the event so that its source delivers it again. */
  | {
      readonly kind: 'lost';
      readonly invocationId: string;
      readonly reason: LossReason;
      readonly error: InvocationError;
    };

/** Why an invocation has no answer. */
export type LossReason = 'worker-lost' | 'timeout' | 'no-worker' | 'overloaded' | 'stopping';

export interface InvocationError {
  readonly message: string;
  readonly stack: string;
  readonly type: string;
}

/** What a kind may use while it parses a binding. */
export interface BindingScope {
  readonly function: FunctionMetadata;
  readonly settings: SettingsView;
  /** `extensions` of host.json, parsed: each kind reads its own section. */
  readonly extensions: HostExtensions;
  /** `singleton` of host.json; its defaults when absent. */
  readonly singleton?: SingletonSettings | undefined;
  /** True under `switchyard dev` (AZURE_FUNCTIONS_ENVIRONMENT=Development). */
  readonly development: boolean;
}

/** What a kind may use while it works. */
export interface BindingContext {
  readonly applicationId: string;
  /** The host id of the official layout, for names in storage. */
  readonly hostId: string;
  readonly functionName: string;
  readonly settings: SettingsView;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
}

/** What a listener may use: a binding's context and the way in. */
export interface ListenerContext extends BindingContext {
  /** Workers that take the app's events now. Limits of one instance hold for each of them; 1 when left out. */
  readonly workerCount?: () => number;
  /**
   * How many events of the function may be in work at once, where that is found out while it runs. It takes the place of the limits
   * of its kind; those hold when it is left out.
   */
  readonly concurrency?: DynamicLimit;
  /** Runs the function. Never rejects. */
  invoke(event: TriggerEvent): Promise<InvocationOutcome>;
}

/** A limit that changes while it is obeyed. */
export interface DynamicLimit {
  /** At least 1. */
  readonly current: number;
}

/** What waits in a source beside what is being handled. */
export interface Backlog {
  readonly messageCount: number;
  /** Age of the oldest message; undefined where nothing waits, or the source does not tell. */
  readonly oldestMs: number | undefined;
  /** How many may wait for each worker, where the app says so. */
  readonly targetPerWorker?: number;
}

/** Something that watches a source and invokes a function. */
export interface TriggerListener {
  /** Starts watching. Rejects when the source cannot be watched at all; a passing fault is retried inside. */
  start(signal: AbortSignal): Promise<void>;
  /** Takes nothing new and resolves when everything in flight is settled. */
  drain(signal: AbortSignal): Promise<void>;
  /** Stops at once; what is in flight is abandoned. */
  close(): Promise<void>;
  /**
   * Asks the source what waits there: one or two cheap requests, nothing is taken. Undefined when another listener tells of
   * the same source. Left out by sources that hold nothing. Rejects when the source cannot be asked.
   */
  backlog?(signal: AbortSignal): Promise<Backlog | undefined>;
}

/** A trigger that has a listener in the Runtime: timer, queue, blob, ... */
export interface ListenerTriggerKind<Options = unknown> {
  readonly style: 'listener';
  /** The binding type, as the documentation spells it. */
  readonly type: string;
  parse(binding: BindingMetadata, scope: BindingScope): Options;
  listen(options: Options, context: ListenerContext): TriggerListener;
  /** The event of a run by hand, for kinds whose input is more than the text of an event. */
  toManualEvent?(options: Options, input: string, context: BindingContext): Promise<ManualEvent>;
}

/** What becomes of the input of a run by hand. */
export type ManualEvent =
  | { readonly kind: 'event'; readonly event: TriggerEvent }
  | { readonly kind: 'refused'; readonly event?: undefined; readonly reason: string };

/** A request to `runtime/webhooks/{extension}` whose caller may make it. */
export interface WebhookRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Names in lower case. */
  readonly query: ReadonlyMap<string, string>;
  readonly body: string;
}

/** `unknown`: no function listens that the request could be for. */
export type WebhookReply =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers?: readonly (readonly [name: string, value: string])[];
      readonly body?: string;
    };

/** What services outside call to bring events. */
export interface WebhookExtension {
  /** The last part of its path, in lower case; its system key is `{name}_extension`. */
  readonly name: string;
  /** Answers when the functions have run. Never rejects because of what it was sent. */
  serve(applicationId: string, request: WebhookRequest): Promise<WebhookReply>;
}

/** The HTTP trigger: its events come through the gateway. */
export interface RouteTriggerKind {
  readonly style: 'route';
  readonly type: string;
  parse(binding: BindingMetadata, scope: BindingScope): HttpTriggerOptions;
}

export type TriggerKind = ListenerTriggerKind | RouteTriggerKind;

/** A binding that fetches a value before the function runs. */
export interface InputBindingKind<Options = unknown> {
  readonly type: string;
  parse(binding: BindingMetadata, scope: BindingScope): Options;
  /** Undefined when there is nothing: the function gets no value. `bindingData` serves `{name}` expressions. */
  read(
    options: Options,
    bindingData: ReadonlyMap<string, TypedData>,
    context: BindingContext,
  ): Promise<TypedData | undefined>;
}

/** A binding that sends a value after the function ran. */
export interface OutputBindingKind<Options = unknown> {
  readonly type: string;
  parse(binding: BindingMetadata, scope: BindingScope): Options;
  /** Resolves when the value is safe at its destination. */
  write(
    options: Options,
    value: TypedData,
    bindingData: ReadonlyMap<string, TypedData>,
    context: BindingContext,
  ): Promise<void>;
}
