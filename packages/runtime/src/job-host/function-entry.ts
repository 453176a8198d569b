import type { MetricLabels } from '@switchyard/kernel';
import type { FunctionMetadata, RetryPolicy } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type {
  HttpTriggerOptions,
  InvocationOutcome,
  ListenerContext,
  ManualEvent,
  TriggerListener,
} from '@switchyard/triggers';

/** Named values of an event, for `{name}` expressions. */
export type BindingValues = ReadonlyMap<string, TypedData>;

/** An input binding with its options and context filled in. */
export interface InputBinding {
  readonly name: string;
  read(values: BindingValues): Promise<TypedData | undefined>;
}

/** An output binding with its options and context filled in. */
export interface OutputBinding {
  readonly name: string;
  write(value: TypedData, values: BindingValues): Promise<void>;
}

/** The way of events into the app, and how many workers take them. */
export type ListenerWay = Pick<ListenerContext, 'invoke' | 'workerCount' | 'concurrency'>;

/** How a function is started. */
export type FunctionTrigger =
  | { readonly kind: 'route'; readonly options: HttpTriggerOptions }
  | {
      readonly kind: 'listener';
      listen(way: ListenerWay): TriggerListener;
      /** The event of a run by hand, where the kind knows better than to take the input as text. */
      readonly toManualEvent?: (input: string) => Promise<ManualEvent>;
    };

/** A function of a JobHost, with everything that an invocation needs, resolved once. */
export interface FunctionEntry {
  readonly metadata: FunctionMetadata;
  readonly isDisabled: boolean;
  readonly trigger: FunctionTrigger;
  readonly inputs: readonly InputBinding[];
  /** Output bindings that are written somewhere; the HTTP response is none of them. */
  readonly outputs: readonly OutputBinding[];
  /** The `http` output binding, whose value becomes the response. */
  readonly httpOutputName: string | undefined;
  /** True when the return value has a binding of its own. */
  readonly hasReturnBinding: boolean;
  /** Names of all output bindings: a returned object may carry their values by key. */
  readonly outputNames: ReadonlySet<string>;
  readonly retry: RetryPolicy | undefined;
  /** `Function.<name>`, the category of its log lines. */
  readonly logCategory: string;
  /** Labels of its metrics, by outcome. */
  readonly labels: Readonly<Record<InvocationOutcome['kind'], MetricLabels>>;
}
