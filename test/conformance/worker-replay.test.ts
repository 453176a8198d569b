/**
 * Replays the host's side of recorded conversations between a host and the official Node.js worker against ours, and
 * compares what it answers. The recorded apps are rebuilt in the worker's fixtures. Ids of requests, versions, ports,
 * stack traces and the wording of log lines may differ; what else differs is written down here, with the reason.
 */
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';
import { RpcLog_RpcLogCategory, StreamingMessage } from '@switchyard/protocol';
import { workerCapabilities } from '@switchyard/worker-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildWorker,
  fixtureFolder,
  requireNode,
  startWorker,
  supportedNodes,
  type WorkerBundle,
} from './worker-process.ts';

interface Frame {
  readonly fromHost: boolean;
  readonly message: StreamingMessage;
}

type Content = NonNullable<StreamingMessage['content']>;

/** The recordings, and where their app lay and lies. */
const recordings = [
  { name: 'node-direct', app: 'v4app' },
  { name: 'node-placeholder', app: 'v4app' },
  { name: 'node-esm', app: 'v4esm' },
  { name: 'node-v3', app: 'v3app' },
  { name: 'node-stream', app: 'v4stream' },
  { name: 'node-broken', app: 'broken' },
] as const;

/** What ours can do beyond the official one. */
const extraCapabilities = [
  'HandlesInvocationCancelMessage',
  'HandlesWorkerWarmupMessage',
  'HandlesEnvironmentUpdate',
  'SupportsLoadResponseCollection',
  'TellsHttpUnanswered',
];

const recordedRoot = '/home/site/apps';

let bundle: WorkerBundle;
beforeAll(async () => {
  bundle = await buildWorker();
});
afterAll(() => bundle.remove());

for (const version of supportedNodes()) {
  const { major, program } = version;
  describe.skipIf(requireNode(version).skip)(`on Node.js ${major}`, () => {
    it.each(recordings)('answers $name as recorded', async ({ name, app }) => {
      const { expected, actual, userLogs } = await replay(program ?? '', name, app);
      expect(actual.filter(isComparable(name)).map((message) => normalize(message))).toEqual(
        expected.filter(isComparable(name)).map((message) => normalize(message)),
      );
      expect(userLogs.actual).toEqual(userLogs.expected);
    });

    it('says why an entry file failed, where the official worker says that there are no functions', async () => {
      const { actual, stderr } = await replay(program ?? '', 'node-broken', 'broken');
      const indexed = actual.find(({ content }) => content?.$case === 'functionMetadataResponse')?.content;
      const message = 'The entry point "index.js" could not be loaded: entry boom';
      const exception = { message, stackTrace: expect.stringContaining('index.js:1:7') };
      expect(indexed?.value).toMatchObject({ result: { status: 0, exception }, useDefaultMetadataIndexing: false });
      expect(stderr).toContain('entry boom');
      expect(stderr).toContain('index.js:1:7');
    });
  });
}

describe('our capabilities', () => {
  it('are those of the official worker and the ones that are written down', () => {
    const recorded = answersOf('node-direct').find(({ message }) => message.content?.$case === 'workerInitResponse');
    const { content } = recorded?.message ?? {};
    const official = content?.$case === 'workerInitResponse' ? [...content.value.capabilities.keys()] : [];
    expect(Object.keys(workerCapabilities).sort()).toEqual([...official, ...extraCapabilities].sort());
  });
});

/** Sends every frame of the host in its turn; a recorded answer is awaited before the next frame goes out. */
async function replay(program: string, name: string, app: string) {
  const frames = read(name);
  const worker = await startWorker({
    program,
    bundle: bundle.path,
    directory: fixtureFolder(app),
    environment: { HARNESS_ONLY: 'yes' },
  });
  const { host } = worker;
  const expected: StreamingMessage[] = [];
  const actual: StreamingMessage[] = [];
  const userLogs = { expected: [] as unknown[], actual: [] as unknown[] };
  const pending = new Map<string, Promise<Content>>();
  let httpUri: string | undefined;
  try {
    for (const { fromHost, message } of frames) {
      const { content, requestId } = message;
      if (!content) continue;
      if (fromHost) {
        const moved = move(message, recordedRoot, fixtureFolder(''));
        if (httpUri !== undefined && isHttpInvocation(content)) forward(httpUri, content.value.invocationId);
        if (content.$case === 'workerTerminate') host.send(content);
        else if (moved.content)
          pending.set(requestId, host.ask(moved.content, answerTo(content.$case)) as Promise<Content>);
      } else if (content.$case === 'rpcLog') {
        if (content.value.logCategory === RpcLog_RpcLogCategory.User) userLogs.expected.push(content.value);
      } else if (content.$case !== 'startStream') {
        const value = await pending.get(requestId);
        const answer = { requestId, content: { $case: content.$case, value } } as StreamingMessage;
        if (answer.content?.$case === 'workerInitResponse') httpUri = answer.content.value.capabilities.get('HttpUri');
        expected.push(message);
        actual.push(move(answer, fixtureFolder('').replace(/\/$/, ''), recordedRoot));
      }
    }
    userLogs.actual = host.logs.filter(({ logCategory }) => logCategory === RpcLog_RpcLogCategory.User);
    expect(await worker.exited).toBe(0);
    return { expected, actual, userLogs, stderr: worker.stderr() };
  } finally {
    await worker.stop();
  }
}

const answers: Partial<Record<Content['$case'], Content['$case']>> = {
  workerInitRequest: 'workerInitResponse',
  functionEnvironmentReloadRequest: 'functionEnvironmentReloadResponse',
  functionsMetadataRequest: 'functionMetadataResponse',
  functionLoadRequest: 'functionLoadResponse',
  invocationRequest: 'invocationResponse',
  workerStatusRequest: 'workerStatusResponse',
};

function answerTo(kind: Content['$case']): Content['$case'] {
  const answer = answers[kind];
  if (!answer) throw new Error(`the recording holds a ${kind}, for which no answer is known`);
  return answer;
}

function isHttpInvocation(content: Content): content is Extract<Content, { $case: 'invocationRequest' }> {
  if (content.$case !== 'invocationRequest') return false;
  const [first] = content.value.inputData;
  return first?.rpcData?.$case === 'data' && first.rpcData.value.data?.$case === 'http';
}

/** What the host forwards beside the invocation when the worker streams HTTP; the answer is not part of the recording. */
function forward(httpUri: string, invocationId: string): void {
  const { hostname, port } = new URL(httpUri);
  const headers = { 'x-ms-invocation-id': invocationId, 'x-forwarded-host': 'localhost', 'x-forwarded-proto': 'http' };
  const request = httpRequest({ hostname, port, method: 'POST', path: '/api/any', headers }, (response) =>
    response.resume(),
  );
  request.on('error', () => {});
  request.end('text');
}

function read(name: string): Frame[] {
  const file = fileURLToPath(new URL(`./transcripts/${name}.jsonl`, import.meta.url));
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { dir, b64 } = JSON.parse(line) as { dir: string; b64: string };
      return { fromHost: dir === 'host->worker', message: StreamingMessage.decode(Buffer.from(b64, 'base64')) };
    });
}

function answersOf(name: string): Frame[] {
  return read(name).filter(({ fromHost }) => !fromHost);
}

/** The same message about a folder elsewhere. */
function move<Value>(value: Value, from: string, to: string): Value {
  const root = to.replace(/\/$/, '');
  if (typeof value === 'string') return value.replaceAll(from, root) as Value;
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('utf8');
    return (text.includes(from) ? Buffer.from(text.replaceAll(from, root)) : value) as Value;
  }
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, move(one, from, to)])) as Value;
  if (Array.isArray(value)) return value.map((one) => move(one, from, to)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, move(one, from, to)])) as Value;
}

/** Leaves out what may differ. */
function normalize(value: unknown, key = ''): unknown {
  if (key === 'stackTrace') return value === '' ? 'no stack' : 'a stack';
  if (key === 'runtimeVersion' || key === 'workerVersion') return value === '' ? '' : 'a version';
  if (key === 'capabilities' && value instanceof Map) return normalizeCapabilities(value);
  // The recording has the v3 library 3.5.0, we have its successor.
  if (key === 'modelVersion') return String(value).replace(/^3\..*/, '3');
  if (value instanceof Uint8Array) return normalizeBody(Buffer.from(value).toString('utf8'));
  if (value instanceof Map) return [...value].map(([name, one]) => [name, normalize(one, name)]);
  if (Array.isArray(value)) return value.map((one) => normalize(one));
  if (typeof value !== 'object' || value === null) return value;
  const members = key === 'content' && isContent(value) ? normalizeContent(value) : value;
  return Object.fromEntries(Object.entries(members).map(([name, one]) => [name, normalize(one, name)]));
}

function normalizeCapabilities(capabilities: ReadonlyMap<string, string>): unknown {
  return [...capabilities]
    .filter(([name]) => !extraCapabilities.includes(name))
    .map(([name, text]) => [name, name === 'HttpUri' ? text.replace(/\d+/, 'port') : text]);
}

/** The env function answers with its arguments, in which ports and ids stand. */
function normalizeBody(text: string): string {
  return text.replace(/"argv":\[.*?\]/, '"argv":[]');
}

function isContent(value: unknown): value is Content {
  return typeof value === 'object' && value !== null && '$case' in value;
}

/** The answers to compare: all but one, in which ours differs on purpose. */
function isComparable(name: string): (message: StreamingMessage) => boolean {
  return ({ content }) => name !== 'node-broken' || content?.$case !== 'functionMetadataResponse';
}

/** Errors of the worker itself have its own words; what they are about stays. */
function normalizeContent(content: Content): object {
  if (content.$case !== 'functionLoadResponse' && content.$case !== 'invocationResponse') return content;
  const { result } = content.value;
  const about = /entry boom|nope/.exec(result?.exception?.message ?? '')?.[0];
  if (!result?.exception || about === undefined) return content;
  const exception = { ...result.exception, message: about };
  return { ...content, value: { ...content.value, result: { ...result, exception } } };
}
