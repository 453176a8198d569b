/** Which way a value flows through a binding. */
export type BindingDirection = 'in' | 'out' | 'inout';

/** How a function wants the bytes of a binding. */
export type BindingDataType = 'string' | 'binary' | 'stream';

/** One binding of a function, parsed once; `raw` keeps every key as function.json or the worker gave it. */
export interface BindingMetadata {
  /** The parameter's name, or `$return`. */
  readonly name: string;
  /** The type as written, for example `queueTrigger`. Compare it without regard to case. */
  readonly type: string;
  readonly direction: BindingDirection;
  readonly dataType?: BindingDataType;
  readonly cardinality?: 'one' | 'many';
  /** The setting that holds the connection, where the kind has one. */
  readonly connection?: string;
  readonly raw: Readonly<Record<string, unknown>>;
  /** `properties` of the raw binding, for example `supportsDeferredBinding`. */
  readonly properties: Readonly<Record<string, string>>;
}

/** What host.json or a function says about trying again. Durations in milliseconds. */
export type RetryPolicy =
  | { readonly strategy: 'fixedDelay'; readonly maxRetryCount: number; readonly delayMs: number }
  | {
      readonly strategy: 'exponentialBackoff';
      /** -1 means for ever. */
      readonly maxRetryCount: number;
      readonly minimumMs: number;
      readonly maximumMs: number;
    };

/** A function of an app, from a worker's index or from function.json. */
export interface FunctionMetadata {
  readonly name: string;
  /** The worker's id when it indexed the function, else one that we made. */
  readonly functionId: string;
  readonly directory: string;
  readonly scriptFile: string;
  readonly entryPoint: string;
  readonly language: string;
  /** Exactly one of them has a type that ends in "trigger". */
  readonly bindings: readonly BindingMetadata[];
  readonly trigger: BindingMetadata;
  /** The worker's own properties, echoed when it is asked to load the function. */
  readonly properties: Readonly<Record<string, string>>;
  readonly retry?: RetryPolicy;
}

/** A function that cannot run, and why. It never stops the others. */
export interface RejectedFunction {
  readonly name: string;
  /** Names the file or function, what is wrong and the fix. */
  readonly reason: string;
}

/** What indexing an app yields. */
export interface FunctionIndex {
  readonly functions: readonly FunctionMetadata[];
  readonly rejected: readonly RejectedFunction[];
}
