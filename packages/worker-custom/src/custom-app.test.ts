import {
  BindingInfo_DataType,
  BindingInfo_Direction,
  FunctionEnvironmentReloadRequest,
  FunctionLoadRequest,
  type FunctionLoadResponse,
  InvocationRequest,
  type InvocationResponse,
  RpcFunctionMetadata,
  RpcHttp,
  type RpcLog,
  StatusResult_Status,
  type TypedData,
  WorkerInitRequest,
  type WorkerInitResponse,
} from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { CustomApp } from './custom-app.ts';
import { defaultCustomWorkerLimits } from './limits.ts';
import {
  createFakeClient,
  createFakeNetwork,
  createFakeProcesses,
  type FakeClient,
  type FakeNetwork,
  type FakeProcesses,
  replied,
} from './testing/fake-world.ts';

const none = new Uint8Array();
const hostJson = {
  version: '2.0',
  functionTimeout: '00:05:00',
  customHandler: { description: { defaultExecutablePath: 'handler' } },
};

interface World {
  readonly app: CustomApp;
  readonly clock: VirtualClock;
  readonly client: FakeClient;
  readonly network: FakeNetwork;
  readonly processes: FakeProcesses;
  readonly failures: string[];
  readonly logs: Partial<RpcLog>[];
  /** The text of host.json by folder. */
  readonly files: Map<string, string>;
}

function createWorld(
  options: {
    readonly obedient?: boolean;
    readonly environment?: Record<string, string>;
    readonly inFlight?: number;
  } = {},
): World {
  const clock = new VirtualClock();
  const client = createFakeClient();
  const network = createFakeNetwork();
  const processes = createFakeProcesses({ obedient: options.obedient ?? true });
  const failures: string[] = [];
  const logs: Partial<RpcLog>[] = [];
  const files = new Map([['/app/host.json', JSON.stringify(hostJson)]]);
  const app = new CustomApp(
    {
      clock,
      random: createSeededRandom(1),
      client,
      network,
      processes,
      limits: {
        ...defaultCustomWorkerLimits,
        invocationsInFlight: options.inFlight ?? defaultCustomWorkerLimits.invocationsInFlight,
      },
      files: { readText: async (path) => files.get(path), hasFile: () => false },
      log: (line) => logs.push(line),
      onFailure: (error) => failures.push(error.message),
    },
    { workerId: 'w1', hostUri: 'http://127.0.0.1:50051/', environment: options.environment ?? { PATH: '/bin' } },
  );
  return { app, clock, client, network, processes, failures, logs, files };
}

function init({ app }: World, functionAppDirectory = '/app'): Promise<WorkerInitResponse> {
  return app.init({ ...WorkerInitRequest.decode(none), hostVersion: '4.1037', functionAppDirectory });
}

const direction = { in: BindingInfo_Direction.in, out: BindingInfo_Direction.out };

function load(
  { app }: World,
  name: string,
  bindings: Record<string, readonly [type: string, way: 'in' | 'out']>,
): Promise<FunctionLoadResponse> {
  const entries = Object.entries(bindings).map(([binding, [type, way]]) => {
    const info = { type, direction: direction[way], dataType: BindingInfo_DataType.undefined, properties: new Map() };
    return [binding, info] as const;
  });
  const metadata = { ...RpcFunctionMetadata.decode(none), name, bindings: new Map(entries) };
  return app.load({ ...FunctionLoadRequest.decode(none), functionId: `id-${name}`, metadata });
}

const queueFunction = { message: ['queueTrigger', 'in'], next: ['queue', 'out'] } as const;
const httpFunction = { req: ['httpTrigger', 'in'], res: ['http', 'out'] } as const;

function invoke(
  { app }: World,
  name: string,
  given: Partial<InvocationRequest> = {},
): Promise<InvocationResponse | undefined> {
  const request = { ...InvocationRequest.decode(none), invocationId: 'i1', functionId: `id-${name}`, ...given };
  return app.invoke(request);
}

/** An app with one function, whose handler takes requests. */
async function serve(options?: Parameters<typeof createWorld>[0]): Promise<World> {
  const world = createWorld(options);
  await init(world);
  world.network.open.add(40_000);
  await world.clock.advance(25);
  await load(world, 'Queue', queueFunction);
  await load(world, 'Web', httpFunction);
  return world;
}

async function stateOf(world: World, promise: Promise<unknown>): Promise<'waiting' | 'done'> {
  let state: 'waiting' | 'done' = 'waiting';
  void promise.then(() => {
    state = 'done';
  });
  await world.clock.settle();
  return state;
}

const input = (name: string, value: TypedData): InvocationRequest['inputData'][number] => ({
  name,
  rpcData: { $case: 'data', value },
});

describe('the life of a handler', () => {
  test('it starts with the app, and the host learns what the worker can do', async () => {
    const world = createWorld();
    const { result, capabilities, workerMetadata } = await init(world);
    expect(result?.status).toBe(StatusResult_Status.Success);
    expect(world.processes.started[0]?.launch).toMatchObject({
      executable: 'handler',
      directory: '/app',
      environment: { PATH: '/bin', FUNCTIONS_CUSTOMHANDLER_PORT: '40000', FUNCTIONS_CUSTOMHANDLER_WORKER_ID: 'w1' },
    });
    expect(workerMetadata?.runtimeName).toBe('custom');
    expect([...capabilities.keys()]).toContain('HandlesWorkerTerminateMessage');
    expect([...capabilities.values()].every((value) => value === 'true')).toBe(true);
  });

  test('it listens where the app says', async () => {
    const world = createWorld();
    const customHandler = { ...hostJson.customHandler, port: 9090 };
    world.files.set('/app/host.json', JSON.stringify({ ...hostJson, customHandler }));
    await init(world);
    expect(world.processes.started[0]?.launch.environment.FUNCTIONS_CUSTOMHANDLER_PORT).toBe('9090');
  });

  test('functions come from function.json files', async () => {
    const world = await serve();
    expect(await world.app.index()).toMatchObject({ useDefaultMetadataIndexing: true, functionMetadataResults: [] });
  });

  test('or from the routes in host.json', async () => {
    const world = createWorld();
    const customHandler = { ...hostJson.customHandler, http: { routes: [{ route: '{*all}' }] } };
    world.files.set('/app/host.json', JSON.stringify({ ...hostJson, customHandler }));
    await init(world);
    const { useDefaultMetadataIndexing, functionMetadataResults } = await world.app.index();
    expect(useDefaultMetadataIndexing).toBe(false);
    expect(functionMetadataResults.map(({ name }) => name)).toEqual(['http-handler1']);
  });

  test('an app that has no handler is told so', async () => {
    const world = createWorld();
    const { result } = await init(world, '/elsewhere');
    expect(result?.status).toBe(StatusResult_Status.Failure);
    expect(result?.exception).toMatchObject({ type: 'CUSTOM_HANDLER_MISSING', isUserException: true });
    expect(world.processes.started).toEqual([]);
    expect((await load(world, 'Queue', queueFunction)).result?.exception?.type).toBe('CUSTOM_WORKER_WITHOUT_APP');
  });

  test.each<[string, Record<string, string>, string]>([
    ['a placeholder', { WEBSITE_PLACEHOLDER_MODE: '1' }, '/app'],
    ['a worker without a folder', {}, ''],
  ])('%s starts nothing until it gets its app', async (_name, environment, directory) => {
    const world = createWorld({ environment });
    expect((await init(world, directory)).result?.status).toBe(StatusResult_Status.Success);
    expect(world.processes.started).toEqual([]);
    const variables = new Map([['GREETING', 'hi']]);
    const request = { ...FunctionEnvironmentReloadRequest.decode(none), environmentVariables: variables };
    const response = await world.app.reload({ ...request, functionAppDirectory: '/app' });
    expect(response.result?.status).toBe(StatusResult_Status.Success);
    expect(world.processes.started[0]?.launch.environment).toMatchObject({ GREETING: 'hi' });
    expect(world.processes.started[0]?.launch.environment).not.toHaveProperty('WEBSITE_PLACEHOLDER_MODE');
  });

  test('I1: a reload ends the old handler before it starts the new one', async () => {
    const world = createWorld({ obedient: false });
    await init(world);
    const request = FunctionEnvironmentReloadRequest.decode(none);
    const reloaded = world.app.reload({ ...request, functionAppDirectory: '/app' });
    await world.clock.advance(4_999);
    expect(world.processes.started).toHaveLength(1);
    await world.clock.advance(1);
    await reloaded;
    expect(world.processes.started.map(({ isAlive }) => isAlive)).toEqual([false, true]);
    expect(world.failures).toEqual([]);
  });

  test.each<[string, (world: World) => Promise<void>, string]>([
    [
      'ends by itself',
      async ({ processes }) => processes.started[0]?.exit({ kind: 'exited', exitCode: 1, signal: null }),
      'ended before it was ready (exit code 1)',
    ],
    [
      'cannot be started',
      async ({ processes }) => processes.started[0]?.exit({ kind: 'not-started', reason: 'no such program' }),
      "'handler' did not start: no such program",
    ],
    ['does not get ready', ({ clock }) => clock.advance(30_000), 'took no connection on 127.0.0.1:40000'],
  ])('I2: one that %s is reported once', async (_name, go, message) => {
    const world = createWorld();
    await init(world);
    await go(world);
    await world.clock.advance(60_000);
    expect(world.failures).toEqual([expect.stringContaining(message)]);
  });

  test('I3: functions are loaded when the handler is ready', async () => {
    const world = createWorld();
    await init(world);
    const loaded = load(world, 'Queue', queueFunction);
    await world.clock.advance(1_000);
    expect(await stateOf(world, loaded)).toBe('waiting');
    world.network.open.add(40_000);
    await world.clock.advance(25);
    expect((await loaded).result?.status).toBe(StatusResult_Status.Success);
  });

  test('I3: and fail when it never is', async () => {
    const world = createWorld();
    await init(world);
    const loaded = load(world, 'Queue', queueFunction);
    world.processes.started[0]?.exit({ kind: 'exited', exitCode: 2, signal: null });
    expect((await loaded).result?.exception?.message).toContain('exit code 2');
  });

  test('I6: after the end no handler runs, and none is started', async () => {
    const world = createWorld({ obedient: false });
    await init(world);
    const terminated = world.app.terminate(700);
    const again = world.app.terminate(700);
    await world.clock.advance(699);
    expect(await stateOf(world, again)).toBe('waiting');
    await world.clock.advance(1);
    await Promise.all([terminated, again]);
    expect(world.processes.started[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    const reload = { ...FunctionEnvironmentReloadRequest.decode(none), functionAppDirectory: '/app' };
    expect((await world.app.reload(reload)).result?.status).toBe(StatusResult_Status.Failure);
    expect(world.processes.started).toHaveLength(1);
    expect(world.failures).toEqual([]);
  });
});

test('I6: the end waits for a handler that failed and does not go', async () => {
  const world = createWorld({ obedient: false });
  await init(world);
  await world.clock.advance(30_000);
  expect(world.failures).toHaveLength(1);
  const terminated = world.app.terminate(60_000);
  await world.clock.advance(4_999);
  expect(await stateOf(world, terminated)).toBe('waiting');
  await world.clock.advance(1);
  await terminated;
  expect(world.processes.started[0]?.isAlive).toBe(false);
});

describe('invocations', () => {
  test('are posted as envelopes, with the headers of the official host', async () => {
    const world = await serve();
    world.client.answer = () => replied(200, '{"Outputs":{"next":"go on"},"Logs":["did it"]}');
    const traceContext = { traceParent: '00-a-b-01', traceState: 'x=1', attributes: new Map(), baggage: new Map() };
    const inputData = [input('message', { data: { $case: 'string', value: 'hello' } })];
    const response = await invoke(world, 'Queue', { inputData, traceContext });
    const [request] = world.client.requests;
    expect(request).toMatchObject({ port: 40_000, method: 'POST', path: '/Queue' });
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({
      host: '127.0.0.1:40000',
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Azure-Functions-Host/4.1037',
      'X-Azure-Functions-InvocationId': 'i1',
      'X-Azure-Functions-HostVersion': '4.1037',
      traceparent: '00-a-b-01',
      tracestate: 'x=1',
    });
    expect(world.client.envelopes[0]).toMatchObject({
      Data: { message: '"hello"' },
      Metadata: { sys: { MethodName: 'Queue' } },
    });
    expect(response).toMatchObject({
      invocationId: 'i1',
      result: { status: StatusResult_Status.Success },
      outputData: [input('next', { data: { $case: 'string', value: 'go on' } })],
    });
    expect(world.logs).toMatchObject([{ message: 'did it', invocationId: 'i1', category: 'Function.Queue.User' }]);
  });

  const http: TypedData = {
    data: {
      $case: 'http',
      value: { ...RpcHttp.decode(none), method: 'GET', url: 'http://localhost:7071/api/web?x=1' },
    },
  };

  test('of plain HTTP functions are forwarded when the app says so', async () => {
    const world = createWorld();
    const customHandler = { ...hostJson.customHandler, enableForwardingHttpRequest: true };
    world.files.set('/app/host.json', JSON.stringify({ ...hostJson, customHandler }));
    await init(world);
    world.network.open.add(40_000);
    await world.clock.advance(25);
    await load(world, 'Web', httpFunction);
    await load(world, 'Returns', { req: ['httpTrigger', 'in'], $return: ['http', 'out'] });
    await load(world, 'Both', { ...httpFunction, next: ['queue', 'out'] });
    world.client.answer = () => replied(500, 'broken on purpose', [['X-Why', 'test']]);

    const forwarded = await invoke(world, 'Web', { inputData: [input('req', http)] });
    expect(world.client.requests[0]).toMatchObject({ method: 'GET', path: '/api/web?x=1' });
    expect(forwarded?.result?.status).toBe(StatusResult_Status.Success);
    expect(forwarded?.outputData[0]).toMatchObject({
      name: 'res',
      rpcData: { value: { data: { value: { statusCode: '500', headers: new Map([['x-why', 'test']]) } } } },
    });

    const returned = await invoke(world, 'Returns', { inputData: [input('req', http)] });
    expect(returned).toMatchObject({ outputData: [], returnValue: { data: { value: { statusCode: '500' } } } });

    const enveloped = await invoke(world, 'Both', { inputData: [input('req', http)] });
    expect(world.client.requests[2]).toMatchObject({ method: 'POST', path: '/Both' });
    expect(enveloped?.result?.status).toBe(StatusResult_Status.Failure);
  });

  test('of plain HTTP functions are envelopes otherwise', async () => {
    const world = await serve();
    await invoke(world, 'Web', { inputData: [input('req', http)] });
    expect(world.client.requests[0]).toMatchObject({ method: 'POST', path: '/Web' });
    expect(world.client.envelopes[0]).toMatchObject({ Data: { req: { Url: 'http://localhost:7071/api/web?x=1' } } });
  });

  test.each<[string, ReturnType<FakeClient['answer']>, string]>([
    ['a status that is no success', replied(418, 'I am a teapot'), "answered function 'Queue' with 418: I am a teapot"],
    ['a redirect', replied(302, ''), 'with 302: (an empty body)'],
    ['no invocation result', replied(200, 'Hello'), 'is no invocation result'],
    ['an answer without an end', { kind: 'too-long', limitBytes: 5 }, 'longer than 5 bytes'],
    ['a request that HTTP cannot carry', { kind: 'invalid', reason: 'a bad header' }, 'a bad header'],
  ])('%s is a failure that says so', async (_name, outcome, message) => {
    const world = await serve();
    world.client.answer = () => outcome;
    const response = await invoke(world, 'Queue');
    expect(response?.result).toMatchObject({
      status: StatusResult_Status.Failure,
      exception: { message: expect.stringContaining(message) },
    });
    expect(world.failures).toEqual([]);
  });

  test('take no longer than functionTimeout and a minute', async () => {
    const world = await serve();
    world.client.answer = () => 'hang';
    const response = invoke(world, 'Queue');
    await world.clock.advance(359_999);
    expect(await stateOf(world, response)).toBe('waiting');
    await world.clock.advance(1);
    expect((await response)?.result?.exception?.message).toContain("did not answer function 'Queue' within 360000 ms");
  });

  test('of an app without a timeout take as long as they like', async () => {
    const world = createWorld();
    world.files.set('/app/host.json', JSON.stringify({ ...hostJson, functionTimeout: '-1' }));
    await init(world);
    world.network.open.add(40_000);
    await world.clock.advance(25);
    await load(world, 'Queue', queueFunction);
    world.client.answer = () => 'hang';
    const response = invoke(world, 'Queue');
    await world.clock.advance(86_400_000);
    expect(await stateOf(world, response)).toBe('waiting');
    world.app.cancel('i1');
    expect((await response)?.result?.status).toBe(StatusResult_Status.Cancelled);
  });

  test('I4: a handler that only closes the connection has failed the function', async () => {
    const world = await serve();
    world.client.answer = () => ({ kind: 'unreachable', reason: 'socket hang up' });
    const response = invoke(world, 'Queue');
    await world.clock.advance(250);
    expect((await response)?.result?.exception?.message).toContain(
      "without an answer to function 'Queue' (socket hang up)",
    );
  });

  test('I4: a handler that dies of them takes them with it', async () => {
    const world = await serve();
    world.client.answer = () => ({ kind: 'unreachable', reason: 'ECONNRESET' });
    const response = invoke(world, 'Queue');
    await world.clock.advance(100);
    world.processes.started[0]?.exit({ kind: 'exited', exitCode: null, signal: 'SIGKILL' });
    expect(await response).toBeUndefined();
    expect(world.failures).toEqual([expect.stringContaining('ended while it served (signal SIGKILL)')]);
  });

  test('I5: a cancelled invocation ends its request', async () => {
    const world = await serve();
    world.client.answer = () => 'hang';
    const response = invoke(world, 'Queue');
    world.app.cancel('somebody else');
    expect(await stateOf(world, response)).toBe('waiting');
    world.app.cancel('i1');
    expect((await response)?.result).toMatchObject({
      status: StatusResult_Status.Cancelled,
      exception: { type: 'CUSTOM_INVOCATION_CANCELLED' },
    });
  });

  test('of unknown functions, and beyond the limit, are refused', async () => {
    const world = await serve({ inFlight: 1 });
    expect((await invoke(world, 'Nobody'))?.result?.exception?.type).toBe('CUSTOM_FUNCTION_UNKNOWN');
    world.client.answer = () => 'hang';
    const first = invoke(world, 'Queue');
    const second = await invoke(world, 'Queue', { invocationId: 'i2' });
    expect(second?.result?.exception?.type).toBe('CUSTOM_INVOCATIONS_EXHAUSTED');
    world.app.cancel('i1');
    await first;
    world.client.answer = () => replied(200, '');
    expect((await invoke(world, 'Queue'))?.result?.status).toBe(StatusResult_Status.Success);
  });
});
