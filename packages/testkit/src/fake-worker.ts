/**
 * A language worker without a language: it speaks FunctionRpc over any Link and answers as the test scripts it.
 *
 * By default it behaves like the official Node worker: StartStream at once, then a good answer to everything. A test
 * changes single answers through `script`: a handler returns what to answer, or undefined for no answer at all.
 * Ownership: the fake owns its end of the link; the test owns the fake.
 *
 * I1 The first frame sent is StartStream with the worker's id.
 * I2 Every message that arrives is in `received`, in order, before it is answered.
 * I3 A request gets at most one answer; it carries the request's own id unless `requestId` fixes another.
 */
import { createDeferred, type Deferred, messageOf } from '@switchyard/kernel';
import {
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy,
  type FunctionLoadRequest,
  type FunctionLoadResponse,
  grpcStatus,
  type InvocationRequest,
  type InvocationResponse,
  type Link,
  RpcLog,
  StreamingMessage,
  type WorkerMetadata,
} from '@switchyard/protocol';
import {
  type FakeFunction,
  invocationFailure,
  invocationSuccess,
  successResult,
  toRpcFunctionMetadata,
} from './fake-functions.ts';

/** What a StreamingMessage carries. */
export type MessageContent = NonNullable<StreamingMessage['content']>;
/** The name of what a StreamingMessage carries. */
export type MessageCase = MessageContent['$case'];
/** The body of one kind of message. */
export type MessageBody<Case extends MessageCase> = Extract<MessageContent, { $case: Case }>['value'];

type Answer = MessageContent | undefined;

/** Replaces the answer to single kinds of messages. */
export type FakeWorkerScript = {
  readonly [Case in MessageCase]?: (body: MessageBody<Case>, worker: FakeWorker) => Answer | Promise<Answer>;
};

export interface FakeWorkerOptions {
  readonly workerId: string;
  /** What the worker's index holds. */
  readonly functions?: readonly FakeFunction[];
  /** Advertised capabilities; those of the Node worker when left out. */
  readonly capabilities?: Readonly<Record<string, string>>;
  /** Runs an invocation. A throw answers Failure; a promise that never settles hangs. Success without value by default. */
  readonly onInvocation?: (
    request: InvocationRequest,
    worker: FakeWorker,
  ) => InvocationResponse | Promise<InvocationResponse>;
  readonly script?: FakeWorkerScript;
  /** Answers carry this id, as the Python worker's do, instead of the request's. */
  readonly requestId?: string;
}

export interface FakeWorker {
  readonly workerId: string;
  /** Every message that arrived, in order. */
  readonly received: readonly StreamingMessage[];
  /** The bodies of all messages of one kind that arrived. */
  bodies<Case extends MessageCase>(kind: Case): MessageBody<Case>[];
  /** Resolves with the first message of the kind, whether it has arrived or not. Has no time limit of its own. */
  first<Case extends MessageCase>(kind: Case): Promise<MessageBody<Case>>;
  /** Sends anything. Returns what the link's `send` returned. */
  send(content: MessageContent, requestId?: string): boolean;
  /** Sends a user log line of an invocation. */
  log(line: Partial<RpcLog> & { readonly message: string }): void;
  /** Ends the stream as a process that exits well does. */
  end(): void;
  /** Drops the stream as a process that died does. */
  crash(): void;
}

/** What the official Node worker 3.9.1 advertises (transcripts of the reference). */
const nodeCapabilities: Readonly<Record<string, string>> = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
};

/** Connects a fake worker: it sends StartStream and answers from now on. */
export function createFakeWorker(link: Link, options: FakeWorkerOptions): FakeWorker {
  const received: StreamingMessage[] = [];
  const awaited = new Map<MessageCase, Deferred<unknown>>();

  const worker: FakeWorker = {
    workerId: options.workerId,
    received,
    bodies: <Case extends MessageCase>(kind: Case) =>
      received.flatMap(({ content }) => (content?.$case === kind ? [content.value as MessageBody<Case>] : [])),
    first<Case extends MessageCase>(kind: Case): Promise<MessageBody<Case>> {
      const arrived = worker.bodies(kind)[0];
      const deferred = awaited.get(kind) ?? createDeferred<unknown>();
      if (arrived !== undefined) deferred.resolve(arrived);
      else awaited.set(kind, deferred);
      return deferred.promise as Promise<MessageBody<Case>>;
    },
    send: (content, requestId = '') => link.send(StreamingMessage.encode({ requestId, content }).finish()),
    log(line) {
      const value: RpcLog = { ...RpcLog.decode(new Uint8Array()), level: 2, ...line };
      worker.send({ $case: 'rpcLog', value });
    },
    end: () => link.end(),
    crash: () => link.cancel({ code: grpcStatus.unavailable, message: 'the fake worker crashed' }),
  };

  const receive = async (message: StreamingMessage): Promise<void> => {
    received.push(message);
    const { content } = message;
    if (content === undefined) return;
    awaited.get(content.$case)?.resolve(content.value);
    awaited.delete(content.$case);
    const answer = await answerTo(content, options, worker);
    if (answer !== undefined) worker.send(answer, options.requestId ?? message.requestId);
  };

  worker.send(startStream(options.workerId), options.requestId ?? '');
  link.receive({
    frame(bytes) {
      receive(StreamingMessage.decode(bytes)).catch((reason: unknown) =>
        link.cancel({ code: grpcStatus.internal, message: `the fake worker's script failed: ${messageOf(reason)}` }),
      );
    },
  });
  return worker;
}

function startStream(workerId: string): MessageContent {
  return { $case: 'startStream', value: { workerId, properties: new Map() } };
}

async function answerTo(content: MessageContent, options: FakeWorkerOptions, worker: FakeWorker): Promise<Answer> {
  const scripted = options.script?.[content.$case] as
    | ((body: MessageContent['value'], worker: FakeWorker) => Answer | Promise<Answer>)
    | undefined;
  if (scripted !== undefined) return scripted(content.value, worker);
  switch (content.$case) {
    case 'invocationRequest':
      return { $case: 'invocationResponse', value: await runInvocation(content.value, options, worker) };
    case 'workerTerminate':
      worker.end();
      return undefined;
    default:
      return defaultAnswer(content, options);
  }
}

async function runInvocation(
  request: InvocationRequest,
  options: FakeWorkerOptions,
  worker: FakeWorker,
): Promise<InvocationResponse> {
  const run = options.onInvocation ?? (() => invocationSuccess());
  try {
    return { ...(await run(request, worker)), invocationId: request.invocationId };
  } catch (reason) {
    return { ...invocationFailure(messageOf(reason)), invocationId: request.invocationId };
  }
}

function defaultAnswer(content: MessageContent, options: FakeWorkerOptions): Answer {
  const capabilities = new Map(Object.entries(options.capabilities ?? nodeCapabilities));
  switch (content.$case) {
    case 'workerInitRequest':
      return {
        $case: 'workerInitResponse',
        value: { workerVersion: '0.0.0', capabilities, result: successResult(), workerMetadata: fakeMetadata() },
      };
    case 'functionEnvironmentReloadRequest':
      return {
        $case: 'functionEnvironmentReloadResponse',
        value: {
          workerMetadata: fakeMetadata(),
          capabilities,
          result: successResult(),
          capabilitiesUpdateStrategy: FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy.replace,
        },
      };
    case 'functionsMetadataRequest':
      return {
        $case: 'functionMetadataResponse',
        value: {
          functionMetadataResults: (options.functions ?? []).map(toRpcFunctionMetadata),
          result: successResult(),
          useDefaultMetadataIndexing: false,
        },
      };
    case 'functionLoadRequest':
      return { $case: 'functionLoadResponse', value: loaded(content.value) };
    case 'functionLoadRequestCollection':
      return {
        $case: 'functionLoadResponseCollection',
        value: { functionLoadResponses: content.value.functionLoadRequests.map(loaded) },
      };
    case 'workerStatusRequest':
      return { $case: 'workerStatusResponse', value: {} };
    case 'workerWarmupRequest':
      return { $case: 'workerWarmupResponse', value: { result: successResult() } };
    default:
      return undefined;
  }
}

function loaded(request: FunctionLoadRequest): FunctionLoadResponse {
  return { functionId: request.functionId, result: successResult(), isDependencyDownloaded: false };
}

function fakeMetadata(): WorkerMetadata {
  return {
    runtimeName: 'fake',
    runtimeVersion: '0.0.0',
    workerVersion: '0.0.0',
    workerBitness: 'x64',
    customProperties: new Map(),
  };
}
