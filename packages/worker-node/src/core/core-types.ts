/**
 * The contract between a worker and a programming model: what `@azure/functions-core` hands out and takes in. These are
 * the shapes that published libraries (`@azure/functions` 3 and 4, `applicationinsights` 2) were written against.
 *
 * Messages are camelCase objects with enums as lower-case words. An unset member of a oneof is undefined (v3 tests for
 * that), while maps, lists and texts have their empty defaults. A model may leave out whatever it does not set.
 */

export type CoreLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type CoreLogCategory = 'user' | 'system' | 'customMetric';
export type CoreBindingDirection = 'in' | 'out' | 'inout';
export type CoreBindingDataType = 'undefined' | 'string' | 'binary' | 'stream';

/** A user's function. v4 calls it with `(...inputs, context)`, v3 with `(context, ...inputs)`. */
export type FunctionCallback = (...parameters: unknown[]) => unknown;

/** What an app registers. Bindings keep every option that the model put there. */
export interface CoreFunctionMetadata {
  name: string;
  functionId?: string | undefined;
  bindings: Record<string, CoreBindingInfo>;
  retryOptions?: CoreRetryOptions | undefined;
}

/** What a model sees of a function, registered or from function.json. */
export interface CoreRpcFunctionMetadata extends CoreFunctionMetadata {
  functionId: string;
  directory: string;
  scriptFile: string;
  entryPoint: string;
  isProxy: boolean;
  language: string;
  rawBindings: string[];
  managedDependencyEnabled: boolean;
  properties: Record<string, string>;
}

export interface CoreBindingInfo {
  type?: string | null | undefined;
  direction?: CoreBindingDirection | null | undefined;
  dataType?: CoreBindingDataType | null | undefined;
  properties?: Record<string, string> | null | undefined;
  [option: string]: unknown;
}

export interface CoreRetryOptions {
  maxRetryCount?: number | null | undefined;
  delayInterval?: CoreDuration | null | undefined;
  minimumInterval?: CoreDuration | null | undefined;
  maximumInterval?: CoreDuration | null | undefined;
  retryStrategy?: 'exponentialBackoff' | 'fixedDelay' | null | undefined;
  [option: string]: unknown;
}

export interface CoreDuration {
  seconds?: unknown;
  nanos?: number | null | undefined;
}

/** One value between host and function; at most one member is set. */
export interface CoreTypedData {
  string?: string | undefined;
  json?: string | undefined;
  bytes?: Uint8Array | undefined;
  stream?: Uint8Array | undefined;
  http?: CoreHttpData | undefined;
  /** A Long. */
  int?: unknown;
  double?: number | undefined;
  collectionBytes?: { bytes: Uint8Array[] } | undefined;
  collectionString?: { string: string[] } | undefined;
  collectionDouble?: { double: number[] } | undefined;
  /** Longs. */
  collectionSint64?: { sint64: unknown[] } | undefined;
  modelBindingData?: CoreModelBindingData | undefined;
  collectionModelBindingData?: { modelBindingData: CoreModelBindingData[] } | undefined;
}

export interface CoreModelBindingData {
  version: string;
  source: string;
  contentType: string;
  content: Uint8Array;
}

export interface CoreNullableString {
  value?: string | undefined;
}

/** An HTTP request as the host sends it. */
export interface CoreHttpData {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: CoreTypedData | undefined;
  params: Record<string, string>;
  statusCode: string;
  query: Record<string, string>;
  enableContentNegotiation: boolean;
  rawBody: CoreTypedData | undefined;
  identities: unknown[];
  cookies: unknown[];
  nullableHeaders: Record<string, CoreNullableString>;
  nullableParams: Record<string, CoreNullableString>;
  nullableQuery: Record<string, CoreNullableString>;
}

export interface CoreException {
  source: string;
  stackTrace: string;
  message: string;
}

export interface CoreInvocationRequest {
  invocationId: string;
  functionId: string;
  inputData: { name: string; data: CoreTypedData | undefined }[];
  triggerMetadata: Record<string, CoreTypedData>;
  traceContext: { traceParent: string; traceState: string; attributes: Record<string, string> } | undefined;
  retryContext: { retryCount: number; maxRetryCount: number; exception: CoreException | undefined } | undefined;
}

/** What a model knows of one invocation. */
export interface CoreInvocationContext {
  invocationId: string;
  request: CoreInvocationRequest;
  metadata: CoreRpcFunctionMetadata;
  /** Where the invocation stands; undefined between the phases. */
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: CoreLogLevel, category: CoreLogCategory, message: string): void;
}

/** One per invocation, made by the programming model. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }> | { context: unknown; inputs: unknown[] };
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): unknown;
  /** The answer to the host; what it may hold is checked when it is sent. */
  getResponse(context: unknown, result: unknown): unknown;
}

/** How functions are written: v3, v4 or somebody's own. */
export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  /** Adds to the worker's capabilities, once the app has started. */
  getCapabilities?(capabilities: Record<string, string>): unknown;
}
