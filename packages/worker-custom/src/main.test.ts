import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@switchyard/kernel';
import {
  BindingInfo_DataType,
  BindingInfo_Direction,
  type InvocationRequest,
  type InvocationResponse,
  RpcHttp,
  StatusResult_Status,
  type TypedData,
} from '@switchyard/protocol';
import {
  isProcessAlive,
  openScriptedHostServer,
  requirePart,
  type ScriptedHost,
  type ScriptedHostServer,
} from '@switchyard/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const fixture = join(here, 'testing', 'fixtures', 'handler.mjs');
const pythonExample = join(here, '..', '..', '..', 'examples', 'custom-handler-python');

let server: ScriptedHostServer;
beforeAll(async () => {
  server = await openScriptedHostServer(systemClock);
});
afterAll(() => server.close());

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A worker's process, with everything that it and its handler print. */
interface RunningWorker {
  readonly process: ChildProcess;
  readonly host: ScriptedHost;
  /** Resolves when the text was printed to stdout or stderr. */
  printed(text: string): Promise<void>;
  readonly exitCode: Promise<number | null>;
  readonly output: { readonly stdout: string; readonly stderr: string };
}

let workerCount = 0;

function killGroup({ pid = 0 }: ChildProcess): void {
  try {
    if (pid > 0) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

async function startWorker(environment: Record<string, string> = {}): Promise<RunningWorker> {
  workerCount += 1;
  const workerId = `custom-${workerCount}`;
  const main = ['--conditions=switchyard-source', join(here, 'main.ts')];
  const child = spawn(process.execPath, [...main, ...server.workerArguments(workerId)], {
    env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // As in the pod host: the worker leads a group of its own, and whoever ends it ends the group.
    detached: true,
  });
  // The handler holds the other ends of these pipes too, so they close when both processes are gone.
  const exitCode = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  cleanUps.push(async () => {
    killGroup(child);
    await exitCode;
  });
  const output = { stdout: '', stderr: '' };
  const watchers: (() => void)[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      output[stream] += chunk;
      for (const watcher of watchers) watcher();
    });
  }
  const host = await server.accept();
  expect(await host.workerId).toBe(workerId);
  return {
    process: child,
    host,
    output,
    printed: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (`${output.stdout}${output.stderr}`.includes(text)) resolve();
        };
        watchers.push(look);
        look();
      }),
    exitCode,
  };
}

/** An app whose handler is the fixture. */
async function createApp(customHandler: Record<string, unknown> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'custom-app-'));
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  const description = { defaultExecutablePath: process.execPath, arguments: [`"${fixture}"`] };
  const host = { version: '2.0', customHandler: { description, ...customHandler } };
  await writeFile(join(directory, 'host.json'), JSON.stringify(host));
  return directory;
}

type Way = 'in' | 'out';

async function load({ host }: RunningWorker, name: string, bindings: Record<string, [string, Way]>): Promise<void> {
  const entries = Object.entries(bindings).map(([binding, [type, way]]) => {
    const info = { type, dataType: BindingInfo_DataType.undefined, properties: new Map() };
    return [binding, { ...info, direction: BindingInfo_Direction[way] }] as const;
  });
  const { result } = await host.load(name, { name, bindings: new Map(entries) });
  expect(result).toMatchObject({ status: StatusResult_Status.Success });
}

function invoke(worker: RunningWorker, name: string, inputs: Record<string, TypedData>): Promise<InvocationResponse> {
  const inputData = Object.entries(inputs).map(([input, value]): InvocationRequest['inputData'][number] => ({
    name: input,
    rpcData: { $case: 'data', value },
  }));
  return worker.host.invoke({ invocationId: `of-${name}`, functionId: name, inputData });
}

const text = (value: string): TypedData => ({ data: { $case: 'string', value } });
const http = (given: Partial<RpcHttp>): TypedData => ({
  data: { $case: 'http', value: { ...RpcHttp.decode(new Uint8Array()), ...given } },
});
const queueFunction: Record<string, [string, Way]> = { message: ['queueTrigger', 'in'], next: ['queue', 'out'] };
const httpFunction: Record<string, [string, Way]> = { req: ['httpTrigger', 'in'], res: ['http', 'out'] };

function outputOf(response: InvocationResponse, name: string): NonNullable<TypedData['data']> {
  const data = response.outputData.find((output) => output.name === name)?.rpcData;
  if (data?.$case !== 'data' || data.value.data === undefined) throw new Error(`no output ${name}`);
  return data.value.data;
}

/** Starts a worker for an app and waits until its handler serves `Echo`. */
async function serve(customHandler?: Record<string, unknown>): Promise<RunningWorker> {
  const directory = await createApp(customHandler);
  const worker = await startWorker();
  const { result } = await worker.host.init(directory);
  expect(result).toMatchObject({ status: StatusResult_Status.Success });
  await load(worker, 'Echo', queueFunction);
  return worker;
}

async function handlerPid({ printed, output }: RunningWorker): Promise<number> {
  await printed('handler: pid ');
  return Number(/handler: pid (\d+)/.exec(output.stdout)?.[1]);
}

describe('the worker with a handler', () => {
  test('serves invocations, and hands on what the handler prints', async () => {
    const worker = await serve();
    expect(await worker.host.index()).toMatchObject({ useDefaultMetadataIndexing: true });
    const response = await invoke(worker, 'Echo', { message: text('hello') });
    expect(response).toMatchObject({ invocationId: 'of-Echo', result: { status: StatusResult_Status.Success } });
    expect(outputOf(response, 'next')).toEqual({
      $case: 'json',
      value: JSON.stringify({ data: { message: '"hello"' }, invocation: 'of-Echo' }),
    });
    expect(worker.host.logs).toMatchObject([{ message: 'echoed', invocationId: 'of-Echo' }]);
    await worker.printed('handler: a complaint');
    expect(worker.output.stderr).toContain('handler: a complaint');
    expect(worker.output.stdout).toContain('handler: pid');

    await load(worker, 'Fail', queueFunction);
    const failed = await invoke(worker, 'Fail', { message: text('x') });
    expect(failed.result).toMatchObject({
      status: StatusResult_Status.Failure,
      exception: { message: expect.stringContaining('500 Internal Server Error: this function never works') },
    });
  });

  test('forwards requests, and relays answers byte for byte', async () => {
    const worker = await serve({ enableForwardingHttpRequest: true });
    await load(worker, 'Web', httpFunction);
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const request = http({
      method: 'PUT',
      url: 'http://app.localhost:7071/api/things/a%2Fb?q=1&q=2',
      headers: new Map([['x-caller', 'me']]),
      body: { data: { $case: 'bytes', value: bytes } },
    });
    const reply = outputOf(await invoke(worker, 'Web', { req: request }), 'res');
    if (reply.$case !== 'http') throw new Error('no response');
    const { statusCode, headers, body } = reply.value;
    expect(statusCode).toBe('207');
    expect(headers.get('x-seen')).toBe('PUT /api/things/a%2Fb?q=1&q=2 me');
    expect([...headers].filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)).toEqual([
      'a=1; Path=/',
      'b=2; Partitioned',
    ]);
    expect(body?.data?.$case === 'bytes' && new Uint8Array(body.data.value)).toEqual(bytes);
  });

  test('a cancelled invocation ends its request to the handler', async () => {
    const worker = await serve();
    await load(worker, 'Slow', queueFunction);
    const response = invoke(worker, 'Slow', { message: text('x') });
    await worker.printed('slow: begun');
    worker.host.send({ $case: 'invocationCancel', value: { invocationId: 'of-Slow', gracePeriod: undefined } });
    expect((await response).result).toMatchObject({ status: StatusResult_Status.Cancelled });
    await worker.printed('slow: given up');
  });

  test('dies with its handler, and answers nothing that the handler took along', async () => {
    const worker = await serve();
    await load(worker, 'Crash', queueFunction);
    const response = invoke(worker, 'Crash', { message: text('x') });
    await expect(response).rejects.toThrow('the link to the worker ended');
    expect(await worker.exitCode).toBe(1);
    expect(worker.output.stderr).toContain('ended while it served (exit code 3)');
    expect(worker.host.logs.at(-1)?.message).toContain('ended while it served (exit code 3)');
  });

  test.each<[string, (worker: RunningWorker) => unknown]>([
    ['is told to terminate', ({ host }) => host.terminate()],
    ['gets SIGTERM', ({ process: child }) => child.kill('SIGTERM')],
    ['loses its host in good order', ({ host }) => host.end()],
  ])('ends its handler when it %s', async (_name, end) => {
    const worker = await serve();
    const pid = await handlerPid(worker);
    expect(isProcessAlive(pid)).toBe(true);
    await end(worker);
    expect(await worker.exitCode).toBe(0);
    expect(worker.output.stdout).toContain('handler: bye');
    expect(isProcessAlive(pid)).toBe(false);
  });

  test('leaves no handler behind when it is killed with its group', async () => {
    const worker = await serve();
    await worker.printed('handler: pid');
    killGroup(worker.process);
    // This only comes when nobody holds the worker's output any more.
    expect(await worker.exitCode).toBeNull();
  });

  test('gives up on a handler that never listens', async () => {
    const directory = await createApp({ initializationTimeout: '00:00:01' });
    const worker = await startWorker({ NEVER_LISTEN: '1' });
    await worker.host.init(directory);
    const { result } = await worker.host.load('Echo', { name: 'Echo' });
    expect(result?.exception?.message).toContain('within 1000 ms');
    expect(await worker.exitCode).toBe(1);
    expect(worker.output.stderr).toContain('FUNCTIONS_CUSTOMHANDLER_PORT');
  });

  test('a placeholder becomes the worker of an app, with its environment', async () => {
    const directory = await createApp();
    const worker = await startWorker({ WEBSITE_PLACEHOLDER_MODE: '1' });
    expect((await worker.host.init(directory)).result?.status).toBe(StatusResult_Status.Success);
    expect(worker.output.stdout).toBe('');
    const reloaded = await worker.host.reload(directory, { PATH: process.env.PATH ?? '' });
    expect(reloaded.result?.status).toBe(StatusResult_Status.Success);
    await load(worker, 'Echo', queueFunction);
    const response = await invoke(worker, 'Echo', { message: text('after reload') });
    expect(response.result?.status).toBe(StatusResult_Status.Success);
  });

  test('says what is wrong with its command line', () => {
    const main = ['--conditions=switchyard-source', join(here, 'main.ts')];
    const { status, stderr } = spawnSync(process.execPath, [...main, '--functions-uri', 'nowhere'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('without --functions-worker-id');
  });
});

const python = requirePart(
  'Python 3',
  spawnSync('python3', ['-c', 'import http.server'], { stdio: 'ignore' }).status === 0,
  'Install it (Debian: apt-get install python3), so that the custom handler in examples/ can run.',
);

describe('the Python example', () => {
  /** Loads the functions of the example as the host reads them from function.json. */
  async function serveExample(): Promise<RunningWorker> {
    const worker = await startWorker();
    await worker.host.init(pythonExample);
    for (const name of await readdir(pythonExample)) {
      const file = await readFile(join(pythonExample, name, 'function.json'), 'utf8').catch(() => undefined);
      if (file === undefined) continue;
      const { bindings } = JSON.parse(file) as { bindings: { name: string; type: string; direction: Way }[] };
      await load(worker, name, Object.fromEntries(bindings.map((one) => [one.name, [one.type, one.direction]])));
    }
    return worker;
  }

  test.skipIf(python.skip)('greets over HTTP', async () => {
    const worker = await serveExample();
    const nullableParams = new Map([['name', { string: { $case: 'value', value: 'Ada' } as const }]]);
    const response = await invoke(worker, 'hello', { req: http({ method: 'GET', nullableParams }) });
    expect(outputOf(response, 'res')).toMatchObject({
      $case: 'http',
      value: {
        statusCode: '200',
        headers: new Map([
          ['content-type', 'text/plain; charset=utf-8'],
          ['x-handler', 'python'],
        ]),
        body: text('Hello, Ada!'),
      },
    });
    expect(worker.host.logs).toMatchObject([{ message: 'greeted Ada' }]);
  });

  test.skipIf(python.skip)('puts an order into the queue and delivers it', async () => {
    const worker = await serveExample();
    const body: TypedData = {
      data: { $case: 'bytes', value: new TextEncoder().encode('{"item": "tea", "quantity": 2}') },
    };
    const placed = await invoke(worker, 'place-order', { req: http({ method: 'POST', body }) });
    expect(outputOf(placed, 'res')).toMatchObject({ value: { statusCode: '202' } });
    const order = outputOf(placed, 'order');
    expect(order).toEqual({ $case: 'json', value: '{"item":"tea","quantity":2}' });

    const metadata = new Map([['DequeueCount', { data: { $case: 'json', value: '1' } } as TypedData]]);
    const deliver = (message: string): Promise<InvocationResponse> =>
      worker.host.invoke({
        invocationId: 'delivery',
        functionId: 'process-order',
        inputData: [{ name: 'order', rpcData: { $case: 'data', value: text(message) } }],
        triggerMetadata: metadata,
      });
    const delivered = await deliver(String(order.value));
    expect(delivered.result?.status).toBe(StatusResult_Status.Success);
    expect(worker.host.logs.map(({ message }) => message)).toEqual([
      'took an order for tea',
      'delivered 2 x tea (try 1)',
    ]);

    const refused = await deliver('{"item":"tea","quantity":0}');
    expect(refused.result?.exception?.message).toContain(
      '500 Internal Server Error: ValueError: cannot deliver 0 of tea',
    );
    await worker.printed('ValueError: cannot deliver 0 of tea');
  });
});
