/**
 * A host without triggers: it speaks to one worker and hands every answer to the test. Also the raw floor of the
 * benchmarks, because nothing stands between a request and its frame.
 *
 * Ownership: the host owns its end of the link; whoever opened it closes it.
 *
 * I1 An answer resolves the request with the same id, and no other.
 * I2 When the link ends, every request still open is rejected.
 */
import { createDeferred, type Deferred } from '@switchyard/kernel';
import {
  type FunctionEnvironmentReloadResponse,
  type FunctionLoadResponse,
  type FunctionMetadataResponse,
  grpcStatus,
  InvocationRequest,
  type InvocationResponse,
  type Link,
  type LinkEnd,
  RpcFunctionMetadata,
  type RpcLog,
  StreamingMessage,
  type WorkerInitResponse,
} from '@switchyard/protocol';

type Content = NonNullable<StreamingMessage['content']>;
type Case = Content['$case'];
type Body<Kind extends Case> = Extract<Content, { $case: Kind }>['value'];

export class ScriptedHost {
  readonly link: Link;
  /** Every log line so far. */
  readonly logs: RpcLog[] = [];
  /** Every other message that answered nothing. */
  readonly strays: StreamingMessage[] = [];
  readonly #open = new Map<string, Deferred<Content>>();
  readonly #workerId = createDeferred<string>();
  #lastRequest = 0;

  constructor(link: Link) {
    this.link = link;
    link.receive({ frame: (bytes) => this.#receive(StreamingMessage.decode(bytes)), end: () => this.end() });
    void link.closed.then((end) => this.#fail(end));
  }

  /** The id that the worker introduced itself with. */
  get workerId(): Promise<string> {
    return this.#workerId.promise;
  }

  /** How the link ended. */
  get closed(): Promise<LinkEnd> {
    return this.link.closed;
  }

  async init(functionAppDirectory: string): Promise<WorkerInitResponse> {
    const value = {
      hostVersion: '4.1037.0.0',
      capabilities: new Map([['MultiStream', '10']]),
      logCategories: new Map(),
      workerDirectory: '',
      functionAppDirectory,
    };
    return await this.ask({ $case: 'workerInitRequest', value }, 'workerInitResponse');
  }

  async reload(
    functionAppDirectory: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<FunctionEnvironmentReloadResponse> {
    const value = { environmentVariables: new Map(Object.entries(environment)), functionAppDirectory };
    const content: Content = { $case: 'functionEnvironmentReloadRequest', value };
    return await this.ask(content, 'functionEnvironmentReloadResponse');
  }

  async index(functionAppDirectory = ''): Promise<FunctionMetadataResponse> {
    const content: Content = { $case: 'functionsMetadataRequest', value: { functionAppDirectory } };
    return await this.ask(content, 'functionMetadataResponse');
  }

  async load(functionId: string, metadata: Partial<RpcFunctionMetadata> = {}): Promise<FunctionLoadResponse> {
    const value = {
      functionId,
      metadata: { ...RpcFunctionMetadata.decode(new Uint8Array()), ...metadata },
      managedDependencyEnabled: false,
    };
    return await this.ask({ $case: 'functionLoadRequest', value }, 'functionLoadResponse');
  }

  async invoke(request: Partial<InvocationRequest>): Promise<InvocationResponse> {
    const value = { ...InvocationRequest.decode(new Uint8Array()), ...request };
    return await this.ask({ $case: 'invocationRequest', value }, 'invocationResponse');
  }

  /** Asks the worker to end and resolves when the link has ended. */
  async terminate(graceSeconds = 5): Promise<LinkEnd> {
    const value = { gracePeriod: { seconds: BigInt(graceSeconds), nanos: 0 } };
    this.send({ $case: 'workerTerminate', value });
    const ended = await this.link.closed;
    return ended;
  }

  /** Sends a request and resolves with the body of its answer, which must be of that kind. */
  async ask<Kind extends Case>(content: Content, kind: Kind): Promise<Body<Kind>> {
    this.#lastRequest += 1;
    const requestId = `request-${this.#lastRequest}`;
    const deferred = createDeferred<Content>();
    this.#open.set(requestId, deferred);
    this.send(content, requestId);
    const answer = await deferred.promise;
    if (answer.$case !== kind) throw new Error(`the worker answered ${content.$case} with ${answer.$case}`);
    return answer.value as Body<Kind>;
  }

  send(content: Content, requestId = ''): void {
    this.sendFrame(StreamingMessage.encode({ requestId, content }).finish());
  }

  /** Sends any bytes as one frame. */
  sendFrame(bytes: Uint8Array): void {
    this.link.send(bytes);
  }

  /** Ends the host's direction, as a host does that stops in good order. */
  end(): void {
    this.link.end({ code: grpcStatus.ok, message: '' });
  }

  #receive(message: StreamingMessage): void {
    const { requestId, content } = message;
    if (content?.$case === 'rpcLog') this.logs.push(content.value);
    else if (content?.$case === 'startStream') this.#workerId.resolve(content.value.workerId);
    else {
      const deferred = this.#open.get(requestId);
      this.#open.delete(requestId);
      if (deferred && content) deferred.resolve(content);
      else this.strays.push(message);
    }
  }

  #fail({ message }: LinkEnd): void {
    const error = new Error(`the link to the worker ended: ${message}`);
    this.#workerId.reject(error);
    for (const deferred of this.#open.values()) deferred.reject(error);
    this.#open.clear();
  }
}
