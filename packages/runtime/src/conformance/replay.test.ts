/**
 * Replays the worker's side of recorded conversations with the official Node.js, Python and Java workers against the
 * Runtime. A recorded frame goes out only after the Runtime has sent what came before it in the recording; ids that the
 * host makes are those of this run. The recordings were made by a minimal host, so what the Runtime sends is compared
 * where the protocol fixes what a host must send.
 */
import { createServer, request as httpRequest, type Server } from 'node:http';
import {
  createMemoryLinkPair,
  type FunctionLoadRequest,
  type InvocationRequest,
  type InvocationResponse,
  type Link,
  type RpcHttp,
  RpcLog_RpcLogCategory,
  StatusResult_Status,
  StreamingMessage,
  type TypedData,
} from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import type { RuntimeApplication } from '../contract.ts';
import { call, type FakeReply } from '../testing/fake-http.ts';
import { createHarness, listen } from '../testing/runtime-harness.ts';
import { createApplication, sampleProfile } from '../testing/sample-application.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';
import { createRecordedKinds } from './recorded-kinds.ts';
import { type Content, type Frame, type Recording, readFrames, recordings } from './recordings.ts';

type Kind = Content['$case'];
type Body<K extends Kind> = Extract<Content, { $case: K }>['value'];

describe.each(recordings)('the recording $name', (recording) => {
  test('brings the worker to Ready, indexes its functions, and every invocation ends as recorded', async () => {
    const replay = await Replay.open(recording);
    await replay.run();
    expect(replay.status.functions.map(({ name }) => name)).toEqual(recording.functions);
    expect(replay.status.rejected).toEqual([]);
    expect(replay.status.workers).toMatchObject([{ state: 'ready', inFlight: 0, runtimeName: recording.runtime }]);
    expect(replay.outcomes).toBe(recording.invocations);
    if (recording.workerIndexing === false) expect(replay.sentKinds).not.toContain('functionsMetadataRequest');
    expect(replay.sentKinds).not.toContain('invocationCancel');
    await replay.close();
  });

  test('relays every log line of the worker, in order', async () => {
    const replay = await Replay.open(recording);
    await replay.run();
    const recorded = replay.sentLogs.map(({ message }) => message);
    const wanted = new Set(recorded);
    expect(replay.loggedMessages.filter((message) => wanted.has(message))).toEqual(recorded);
    const users = replay.sentLogs.filter(
      (line) => line.logCategory === RpcLog_RpcLogCategory.User && line.invocationId !== '',
    );
    for (const { message } of users) expect(replay.categoryOf(message)).toMatch(/^Function\.\w+\.User$/);
    await replay.close();
  });
});

test('a function of the entry file that throws fails with the reason that the worker gave', async () => {
  const broken = recordings.find(({ name }) => name === 'node-broken');
  if (broken === undefined) throw new Error('the recording is missing');
  const replay = await Replay.open(broken);
  await replay.run();
  expect(await replay.call('/api/x')).toMatchObject({ status: 500, body: '' });
  expect(replay.exceptions.join()).toContain('Worker was unable to load entry point "index.js": entry boom');
  await replay.close();
});

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Stands in for the recorded worker's HTTP server. As that one it never answers a function that threw. */
function serveWorkerHttp(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url !== '/api/boom') response.end(`streamed ${request.url}`);
  });
  servers.push(server);
  return listen(server);
}

/** One recording on its way through a Runtime. */
class Replay {
  readonly #recording: Recording;
  readonly #frames: readonly Frame[];
  readonly #clock = new VirtualClock();
  readonly #log = createMemoryLog(this.#clock);
  readonly #kinds = createRecordedKinds();
  readonly #harness: ReturnType<typeof createHarness>;
  readonly #link: Link;
  readonly #application: RuntimeApplication;
  /** What the Runtime sent and the replay has not matched yet. */
  readonly #inbox: Content[] = [];
  /** Ids of the recording, and those of this run. */
  readonly #ids = new Map<string, string>();
  readonly #skipped = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly sentKinds: Kind[] = [];
  readonly sentLogs: Body<'rpcLog'>[] = [];
  outcomes = 0;

  static async open(recording: Recording): Promise<Replay> {
    return new Replay(recording, recording.streamed === undefined ? '' : await serveWorkerHttp());
  }

  private constructor(recording: Recording, workerBase: string) {
    this.#recording = recording;
    this.#harness = createHarness({
      clock: this.#clock,
      random: createSeededRandom(1),
      log: this.#log,
      kinds: this.#kinds,
      // The recorded worker's own HTTP server is gone; another one stands in for it.
      workerHttp: {
        open: ({ method, target, headers }) => httpRequest(`${workerBase}${target}`, { method, headers: [...headers] }),
      },
    });
    this.#frames = readFrames(recording.name);
    const { opener, acceptor } = createMemoryLinkPair();
    this.#link = opener;
    opener.receive({
      frame: (bytes) => {
        const { content } = StreamingMessage.decode(bytes);
        if (content === undefined) return;
        this.sentKinds.push(content.$case);
        this.#inbox.push(content);
      },
      end: () => opener.end(),
    });
    const init = this.#recorded('workerInitRequest');
    this.#application = createApplication({
      scriptRoot: init.functionAppDirectory,
      stack: { runtime: recording.runtime, version: '', architecture: 'x64' },
      worker: {
        ...sampleProfile,
        workerDirectory: init.workerDirectory,
        workerIndexing: recording.workerIndexing ?? true,
        initializationTimeoutMs: 10_000,
      },
      files: recording.files ?? [],
    });
    this.#harness.runtime.addApplication(this.#application).catch(() => {});
    this.#harness.supply.expect(this.#recorded('startStream').workerId, sampleDefinition);
    this.#harness.runtime.acceptWorker(acceptor);
  }

  get status() {
    const [status] = this.#harness.runtime.status();
    if (status === undefined) throw new Error('the app is gone');
    return status;
  }

  get loggedMessages(): string[] {
    return this.#log.records.map(({ message }) => message);
  }

  get exceptions(): unknown[] {
    return this.#log.records.flatMap(({ fields }) => (fields.exception === undefined ? [] : [fields.exception]));
  }

  call(url: string): Promise<FakeReply> {
    return call(this.#harness.runtime, url).reply;
  }

  categoryOf(message: string): unknown {
    return this.#log.withMessage(message)[0]?.fields.category;
  }

  async run(): Promise<void> {
    let isReloading = false;
    for (const { fromHost, content } of this.#frames) {
      // The environment reload of a placeholder is the sidecar's business; the Runtime never sees it.
      if (content.$case === 'functionEnvironmentReloadRequest') isReloading = true;
      if (!isReloading) await (fromHost ? this.#followHost(content) : this.#playWorker(content));
      if (content.$case === 'functionEnvironmentReloadResponse') isReloading = false;
    }
  }

  async close(): Promise<void> {
    const drained = this.#harness.runtime.drain(1_000);
    await this.#clock.settle();
    if (this.sentKinds.includes('workerTerminate')) this.#link.end();
    await this.#clock.runUntil(drained);
    expect(this.#clock.pendingTimers).toBe(0);
  }

  /** A frame that the recorded host sent: the Runtime must send the like. */
  async #followHost(content: Content): Promise<void> {
    switch (content.$case) {
      case 'workerInitRequest': {
        const sent = await this.#sent('workerInitRequest');
        expect(sent).toMatchObject({
          functionAppDirectory: content.value.functionAppDirectory,
          hostVersion: expect.stringMatching(/^4\./),
        });
        return;
      }
      case 'functionLoadRequest':
        await this.#followLoad(content.value);
        return;
      case 'invocationRequest':
        await this.#followInvocation(content.value);
        return;
      case 'workerStatusRequest':
        await this.#clock.advance(15_000);
        await this.#sent('workerStatusRequest');
        return;
      case 'workerTerminate':
        return;
      default:
        await this.#sent(content.$case);
    }
  }

  async #followLoad(recorded: FunctionLoadRequest): Promise<void> {
    const name = recorded.metadata?.name;
    const sent = await this.#sent('functionLoadRequest', (request) => request.metadata?.name === name);
    this.#ids.set(recorded.functionId, sent.functionId);
    const { directory, scriptFile, entryPoint, bindings, properties } = recorded.metadata ?? {};
    expect(sent.metadata).toMatchObject({ directory, scriptFile, entryPoint });
    const shapes = (map: typeof bindings) =>
      [...(map ?? [])].map(([binding, { type, direction, dataType }]) => [binding, type, direction, dataType]).sort();
    // The app that cannot be loaded was recorded without bindings.
    if (bindings !== undefined && bindings.size > 0) expect(shapes(sent.metadata?.bindings)).toEqual(shapes(bindings));
    for (const [property, value] of properties ?? []) expect(sent.metadata?.properties.get(property)).toBe(value);
    expect(sent.metadata?.properties.get('FunctionId')).toBe(sent.functionId);
  }

  async #followInvocation(recorded: InvocationRequest): Promise<void> {
    const functionId = this.#ids.get(recorded.functionId);
    if (functionId === undefined) {
      this.#skipped.add(recorded.invocationId);
      return;
    }
    await this.#clock.settle();
    const response = this.#responseTo(recorded.invocationId);
    const [input] = recorded.inputData;
    const data = input?.rpcData?.$case === 'data' ? input.rpcData.value : undefined;
    const functionName = this.#nameOf(recorded.functionId);
    this.#running.set(
      recorded.invocationId,
      data?.data?.$case === 'http'
        ? this.#callOverHttp(functionName, data.data.value, response)
        : this.#fire(functionName, data ?? { data: undefined }, recorded, response),
    );
    const sent = await this.#sent('invocationRequest');
    expect(sent.functionId).toBe(functionId);
    this.#ids.set(recorded.invocationId, sent.invocationId);
    if (this.#recording.streamed === undefined) expectSameInput(sent, recorded);
    else expectNoRequest(sent, recorded);
  }

  async #callOverHttp(functionName: string, recorded: RpcHttp, response: InvocationResponse): Promise<void> {
    const streamed = this.#recording.streamed?.[functionName];
    if (streamed !== undefined) {
      const reply = await call(this.#harness.runtime, streamed.path, { method: streamed.method }).reply;
      expect([reply.status, reply.body]).toEqual(isSuccess(response) ? [200, `streamed ${streamed.path}`] : [500, '']);
      this.outcomes += 1;
      return;
    }
    const { pathname, search, host } = new URL(recorded.url);
    const headers = { ...Object.fromEntries(headersOf(recorded)), host };
    const body = bytesOf(recorded.body);
    const reply = await call(this.#harness.runtime, `${pathname}${search}`, {
      method: recorded.method,
      headers,
      ...(body.byteLength === 0 ? {} : { body }),
    }).reply;
    expectRecordedReply(reply, response, this.#httpOutputOf(functionName));
    this.outcomes += 1;
  }

  async #fire(name: string, data: TypedData, recorded: InvocationRequest, response: InvocationResponse): Promise<void> {
    const context = this.#kinds.contexts.get(name);
    const before = this.#kinds.collected.length;
    const outcome = await context?.invoke({ data, metadata: recorded.triggerMetadata, reason: 'recorded' });
    expect(outcome?.kind).toBe(isSuccess(response) ? 'succeeded' : 'failed');
    const written = this.#kinds.collected.slice(before).map(({ binding, value }) => [binding, value]);
    const expected = response.outputData.map(({ name: binding, rpcData }) => [binding, rpcData?.value]);
    expect(written).toEqual(expected);
    this.outcomes += 1;
  }

  /** A frame that the recorded worker sent: it is sent again, with the ids of this run. */
  async #playWorker(content: Content): Promise<void> {
    const value = content.value as { invocationId?: string; functionId?: string };
    if (value.invocationId !== undefined && this.#skipped.has(value.invocationId)) return;
    const replaced = { ...content.value } as typeof value;
    if (value.invocationId) replaced.invocationId = this.#ids.get(value.invocationId) ?? value.invocationId;
    if (value.functionId) replaced.functionId = this.#ids.get(value.functionId) ?? value.functionId;
    const sent = { ...content, value: replaced } as Content;
    if (sent.$case === 'rpcLog') this.sentLogs.push(sent.value);
    this.#link.send(StreamingMessage.encode({ requestId: 'the-recorded-one', content: sent }).finish());
    await this.#clock.settle();
    if (content.$case === 'invocationResponse') await this.#running.get(content.value.invocationId);
  }

  /** The next frame of the kind that the Runtime sent. */
  async #sent<K extends Kind>(kind: K, matches: (body: Body<K>) => boolean = () => true): Promise<Body<K>> {
    for (let turn = 0; turn < 50; turn += 1) {
      const index = this.#inbox.findIndex(({ $case, value }) => $case === kind && matches(value as Body<K>));
      const [found] = index < 0 ? [] : this.#inbox.splice(index, 1);
      if (found !== undefined) return found.value as Body<K>;
      await this.#clock.settle();
    }
    throw new Error(`${this.#recording.name}: the Runtime sent no ${kind}; it sent ${this.sentKinds.join(', ')}`);
  }

  #recorded<K extends Kind>(kind: K): Body<K> {
    const found = this.#frames.find(({ content }) => content.$case === kind);
    if (found === undefined) throw new Error(`${this.#recording.name} has no ${kind}`);
    return found.content.value as Body<K>;
  }

  #responseTo(invocationId: string): InvocationResponse {
    for (const { content } of this.#frames) {
      if (content.$case === 'invocationResponse' && content.value.invocationId === invocationId) return content.value;
    }
    throw new Error(`${this.#recording.name} has no response to ${invocationId}`);
  }

  #nameOf(functionId: string): string {
    for (const { content } of this.#frames) {
      if (content.$case === 'functionLoadRequest' && content.value.functionId === functionId) {
        return content.value.metadata?.name ?? '';
      }
    }
    throw new Error(`${this.#recording.name} never loaded ${functionId}`);
  }

  #httpOutputOf(functionName: string): string | undefined {
    for (const { content } of this.#frames) {
      if (content.$case !== 'functionLoadRequest' || content.value.metadata?.name !== functionName) continue;
      for (const [name, { type }] of content.value.metadata.bindings) if (type === 'http') return name;
    }
    return undefined;
  }
}

function headersOf(http: RpcHttp): [string, string][] {
  const nullable = [...http.nullableHeaders].map(([name, value]): [string, string] => [
    name,
    value.string?.value ?? '',
  ]);
  return [...http.headers, ...nullable];
}

function pairsOf(plain: ReadonlyMap<string, string>, nullable: RpcHttp['nullableParams']): Record<string, string> {
  const pairs = [...nullable].map(([name, value]): [string, string] => [name, value.string?.value ?? '']);
  return Object.fromEntries([...plain, ...pairs]);
}

function bytesOf(typed: TypedData | undefined): Uint8Array {
  const data = typed?.data;
  if (data?.$case === 'bytes') return data.value;
  return data?.$case === 'string' ? Buffer.from(data.value) : new Uint8Array();
}

/** The request to the worker says the same as the recorded one. */
function expectSameInput(sent: InvocationRequest, recorded: InvocationRequest): void {
  const [mine, theirs] = [sent.inputData[0], recorded.inputData[0]];
  expect(mine?.name).toBe(theirs?.name);
  const [data, wanted] = [mine, theirs].map((input) =>
    input?.rpcData?.$case === 'data' ? input.rpcData.value : undefined,
  );
  if (data?.data?.$case !== 'http' || wanted?.data?.$case !== 'http') {
    expect(data).toEqual(wanted);
    expect(sent.triggerMetadata).toEqual(recorded.triggerMetadata);
    return;
  }
  const [http, expected] = [data.data.value, wanted.data.value];
  expect([http.method, http.url]).toEqual([expected.method, expected.url]);
  expect(Buffer.from(bytesOf(http.body))).toEqual(Buffer.from(bytesOf(expected.body)));
  expect(pairsOf(http.params, http.nullableParams)).toEqual(pairsOf(expected.params, expected.nullableParams));
  expect(pairsOf(http.query, http.nullableQuery)).toMatchObject(pairsOf(expected.query, expected.nullableQuery));
  expect(Object.fromEntries(headersOf(http))).toMatchObject(Object.fromEntries(headersOf(expected)));
  // Workers that take nullable values get nothing in the plain maps, and the other way round.
  expect([http.headers.size > 0, http.nullableHeaders.size > 0]).toContain(true);
  if (expected.nullableHeaders.size > 0) expect(http.headers.size).toBe(0);
}

/** A worker that takes HTTP itself finds no request in the invocation, as in the recording. */
function expectNoRequest(sent: InvocationRequest, recorded: InvocationRequest): void {
  expect(sent.inputData).toEqual(recorded.inputData);
  expect([...sent.triggerMetadata.keys()]).toEqual(expect.arrayContaining(['Headers', 'Query']));
}

function isSuccess(response: InvocationResponse): boolean {
  return response.result?.status === StatusResult_Status.Success;
}

/** The caller gets what the recorded response says. */
function expectRecordedReply(reply: FakeReply, response: InvocationResponse, output: string | undefined): void {
  if (!isSuccess(response)) {
    expect([reply.status, reply.body]).toEqual([500, '']);
    return;
  }
  const item = response.outputData.find(({ name }) => name === output)?.rpcData;
  const value = response.returnValue ?? (item?.$case === 'data' ? item.value : undefined);
  if (value?.data === undefined) {
    expect([reply.status, reply.body]).toEqual([204, '']);
    return;
  }
  if (value.data.$case === 'string') {
    expect([reply.status, reply.body]).toEqual([200, value.data.value]);
    return;
  }
  if (value.data.$case !== 'http') throw new Error(`unexpected ${value.data.$case}`);
  const http = value.data.value;
  expect(reply.status).toBe(http.statusCode === '' ? 200 : Number(http.statusCode));
  for (const [name, text] of http.headers) expect(reply.headers[name.toLowerCase()]).toBe(text);
  expect(reply.headers['set-cookie'] !== undefined).toBe(http.cookies.length > 0);
  const body = http.body?.data;
  if (body?.$case === 'json') expect(JSON.parse(reply.body)).toEqual(JSON.parse(body.value));
  else expect(reply.body).toBe(Buffer.from(bytesOf(http.body)).toString());
}
