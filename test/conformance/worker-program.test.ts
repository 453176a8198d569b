/** The Node.js worker as a process: what it prints, how it ends, and what apps may do to it. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { InvocationResponse, RpcFunctionMetadata } from '@switchyard/protocol';
import { RpcHttp, RpcLog_Level } from '@switchyard/protocol';
import { type AppFolder, createAppFolder, type ScriptedHost } from '@switchyard/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  buildWorker,
  fixtureFolder,
  requireNode,
  startWorker,
  supportedNodes,
  type WorkerBundle,
  type WorkerProcess,
} from './worker-process.ts';

let bundle: WorkerBundle;
beforeAll(async () => {
  bundle = await buildWorker();
});
afterAll(() => bundle.remove());

const workers: WorkerProcess[] = [];
const folders: AppFolder[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  for (const folder of folders.splice(0)) folder.remove();
});

for (const version of supportedNodes()) {
  const { major, program = '' } = version;
  describe.skipIf(requireNode(version).skip)(`the worker on Node.js ${major}`, () => describeWorker(program));
}

function describeWorker(program: string): void {
  it('names what is missing on its command line, and exits with 1', async () => {
    const { code, stderr } = await run(program, ['--functions-uri', 'http://127.0.0.1:1/']);
    expect(code).toBe(1);
    expect(stderr).toContain('without --functions-worker-id');
  });

  it('says that nobody listens, and exits with 1', async () => {
    const ids = ['--functions-worker-id', 'w', '--functions-request-id', 'r'];
    const length = ['--functions-grpc-max-message-length', '1000'];
    const { code, stderr } = await run(program, ['--functions-uri', 'http://127.0.0.1:1/', ...ids, ...length]);
    expect(code).toBe(1);
    expect(stderr).toContain('to the host at 127.0.0.1:1 was lost: cannot connect');
  });

  it('keeps its compiled code beside its bundle, one file for each version, and survives a bad one', async () => {
    await run(program, []);
    const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim();
    const caches = () =>
      readdirSync(dirname(bundle.path)).filter((name) => name.includes(`${version}-${process.arch}`));
    expect(caches()).toEqual([expect.stringMatching(/^worker-[0-9a-f]{16}\.bundle\..*\.cache$/)]);
    const copy = app({});
    cpSync(dirname(bundle.path), copy.path, { recursive: true });
    // A cache that nothing can be made of: the code is compiled again.
    for (const name of caches()) writeFileSync(join(copy.path, name), 'not a cache');
    const { code, stderr } = await run(program, [], join(copy.path, basename(bundle.path)));
    expect([code, stderr]).toEqual([1, expect.stringContaining('without --functions-uri')]);
  });

  it('exits with 0 when the host ends the stream, with 1 when the connection is lost', async () => {
    const ended = await start(program, fixtureFolder('v4app'));
    ended.host.end();
    expect(await ended.exited).toBe(0);
    const lost = await start(program, fixtureFolder('v4app'));
    lost.host.link.cancel({ code: 14, message: 'cut' });
    expect(await lost.exited).toBe(1);
    expect(lost.stderr()).toContain('was lost');
  });

  it('runs appTerminate hooks on WorkerTerminate, exits with 0, and dies by SIGTERM', async () => {
    const { worker, host } = await serve(program, {
      'package.json': '{ "main": "index.js" }',
      'index.js': `const { app } = require('@azure/functions');
        app.hook.appTerminate(() => console.error('goodbye'));`,
    });
    await host.terminate();
    expect([await worker.exited, worker.stderr()]).toEqual([0, 'goodbye\n']);
    const killed = await start(program, fixtureFolder('v4app'));
    killed.child.kill('SIGTERM');
    expect(await killed.exited).toBe('SIGTERM');
  });

  it('runs exit handlers to their end, although a supervisor sends SIGTERM as soon as the stream has ended', async () => {
    const { worker, host } = await serve(program, {
      'package.json': '{ "main": "index.js" }',
      'index.js': `const { app } = require('@azure/functions');
        app.get('any', () => {});
        process.on('exit', () => require('node:fs').writeSync(2, 'done'));`,
    });
    void host.closed.then(() => worker.child.kill('SIGTERM'));
    await host.terminate();
    expect([await worker.exited, worker.stderr()]).toEqual([0, 'done']);
  });

  it('survives what an invocation leaves behind, and says whose it was', async () => {
    const { host, call } = await serve(program, {
      'package.json': '{ "main": "index.js" }',
      'index.js': `const { app } = require('@azure/functions');
        const left = { rejection: () => { Promise.reject(new Error('left rejection')); return {}; },
          timer: () => new Promise(() => setTimeout(() => { throw new Error('left timer'); }, 1)),
          nothing: () => ({ body: 'fine' }) };
        for (const [name, handler] of Object.entries(left)) app.get(name, handler);`,
    });
    expect(statusOf(await call('rejection'))).toBe(1);
    const timer = await call('timer');
    expect(timer.result?.exception?.message).toBe('left timer');
    expect(bodyOf(await call('nothing'))).toBe('fine');
    const errors = host.logs.filter(({ level }) => level === RpcLog_Level.Error).map(({ message }) => message);
    expect(errors).toEqual([
      expect.stringMatching(/Unhandled rejection in function rejection \(invocation .*left rejection/s),
      expect.stringMatching(/Uncaught exception in function timer \(invocation .*left timer/s),
    ]);
  });

  it('ends, as the official worker does, on an exception that belongs to no invocation', async () => {
    const folder = app({
      'package.json': '{ "main": "index.js" }',
      'index.js': `setTimeout(() => { throw new Error('shared boom'); }, 1);`,
    });
    const worker = await start(program, folder.path);
    const { host } = worker;
    await host.init(folder.path).catch(() => {});
    expect(await worker.exited).toBe(1);
    // All that it has said is there when its stream has ended.
    await host.closed;
    expect(worker.stderr()).toContain('shared boom');
    expect(host.logs.some(({ level, message }) => level === RpcLog_Level.Critical && message.includes('shared'))).toBe(
      true,
    );
  });

  it('lets ES modules import the core module directly, also from files that they import', async () => {
    const { functions, call } = await serve(program, {
      'package.json': '{ "type": "module", "main": "index.js" }',
      'index.js': `import { app } from '@azure/functions';
        import { hookData } from './nested/hooks.js';
        app.get('hello', () => ({ body: JSON.stringify(hookData) }));`,
      'nested/hooks.js': `import core, { registerHook, version } from '@azure/functions-core';
        export const hookData = { same: core.version === version, calls: 0 };
        registerHook('preInvocation', () => { hookData.calls += 1; });`,
    });
    expect(functions.map(({ name }) => name)).toEqual(['hello']);
    expect(bodyOf(await call('hello'))).toBe('{"same":true,"calls":1}');
  });

  it('serves libraries that use the core module themselves, as applicationinsights does', async () => {
    const { call } = await serve(program, {
      'package.json': '{ "main": "index.js" }',
      'index.js': `const core = require('@azure/functions-core');
        const seen = [];
        core.registerHook('preInvocation', (context) => {
          const model = core.getProgrammingModel();
          const own = context.functionCallback;
          seen.push(model.name, model.version.split('.')[0], context.invocationContext.functionName, typeof core.hostVersion);
          context.functionCallback = async (...inputs) => ({ ...(await own(...inputs)), headers: { 'x-seen': seen.join() } });
        });
        const { app } = require('@azure/functions');
        app.get('hello', () => ({ body: 'hi' }));`,
    });
    const response = await call('hello');
    expect([bodyOf(response), httpOf(response).headers.get('x-seen')]).toEqual([
      'hi',
      '@azure/functions,4,hello,string',
    ]);
  });

  it('serves an app that holds two copies of the library', async () => {
    const folder = app({
      'package.json': '{ "main": "index.js" }',
      'index.js': `require('@azure/functions').app.get('first', () => ({ body: 'one' })); require('other');`,
      'node_modules/other/index.js': `require('@azure/functions').app.get('second', () => ({ body: 'two' }));`,
    });
    for (const home of ['', 'node_modules/other']) copyLibrary(join(folder.path, home, 'node_modules'));
    const { functions, call } = await open(program, folder);
    expect(functions.map(({ name }) => name)).toEqual(['first', 'second']);
    expect([bodyOf(await call('first')), bodyOf(await call('second'))]).toEqual(['one', 'two']);
  });

  it('streams HTTP through the address that the library opens', async () => {
    const worker = await start(program, fixtureFolder('v4stream'));
    const { capabilities } = await worker.host.init(fixtureFolder('v4stream'));
    await worker.host.index();
    const headers = { 'x-ms-invocation-id': 'i1', 'x-forwarded-host': 'h', 'x-forwarded-proto': 'http' };
    const forwarded = fetch(`${capabilities.get('HttpUri')}api/drip`, { headers });
    const invoked = worker.host.invoke({
      invocationId: 'i1',
      functionId: 'drip',
      inputData: [input('httpTriggerdb77b8df34', {})],
    });
    expect(statusOf(await invoked)).toBe(1);
    expect(await (await forwarded).text()).toContain('data: 5');
  });

  it('echoes ten megabytes', async () => {
    const { call } = await serve(program, {
      'package.json': '{ "main": "index.js" }',
      'index.js': `const { app } = require('@azure/functions');
        app.post('echo', async (request) => ({ body: await request.arrayBuffer() }));`,
    });
    const body = Buffer.alloc(10 * 1024 * 1024, 'x');
    const response = await call('echo', { method: 'POST', body: { data: { $case: 'bytes', value: body } } });
    const answered = httpOf(response).body?.data;
    expect(answered?.$case === 'bytes' && Buffer.compare(answered.value, body)).toBe(0);
  });
}

function app(files: Record<string, string>): AppFolder {
  const folder = createAppFolder(files);
  folders.push(folder);
  return folder;
}

/** Starts an app of these files, with the library at hand, and indexes it. */
async function serve(program: string, files: Record<string, string>) {
  const folder = app(files);
  copyLibrary(join(folder.path, 'node_modules'));
  return await open(program, folder);
}

async function open(program: string, folder: AppFolder) {
  const worker = await start(program, folder.path);
  const { host } = worker;
  await host.init(folder.path);
  const { functionMetadataResults: functions } = await host.index();
  return { worker, host, functions, call: caller(host, functions) };
}

async function start(program: string, directory: string): Promise<WorkerProcess> {
  const worker = await startWorker({ program, bundle: bundle.path, directory });
  workers.push(worker);
  return worker;
}

/** Copies `@azure/functions` and what it needs, wherever npm has put that. */
function copyLibrary(target: string): void {
  const require = createRequire(join(fixtureFolder('v4app'), 'package.json'));
  const library = dirname(dirname(require.resolve('@azure/functions')));
  const { dependencies } = require('@azure/functions/package.json') as { dependencies: Record<string, string> };
  cpSync(library, join(target, '@azure/functions'), { recursive: true });
  for (const name of Object.keys(dependencies)) {
    const nested = join(library, 'node_modules', name);
    const source = existsSync(nested) ? nested : join(library, '../..', name);
    cpSync(source, join(target, name), { recursive: true });
  }
}

function caller(host: ScriptedHost, functions: readonly RpcFunctionMetadata[]) {
  let calls = 0;
  return async (functionId: string, http: Partial<RpcHttp> = {}): Promise<InvocationResponse> => {
    const { bindings } = functions.find((one) => one.functionId === functionId) ?? {};
    const [name = ''] = bindings?.keys() ?? [];
    calls += 1;
    const request = { method: 'GET', url: 'http://localhost/api', ...http };
    return await host.invoke({ invocationId: `i${calls}`, functionId, inputData: [input(name, request)] });
  };
}

function input(name: string, http: Partial<RpcHttp>) {
  const value = { ...RpcHttp.decode(new Uint8Array()), ...http };
  return { name, rpcData: { $case: 'data' as const, value: { data: { $case: 'http' as const, value } } } };
}

function statusOf({ result }: InvocationResponse): number | undefined {
  return result?.status;
}

function httpOf({ returnValue, result }: InvocationResponse): RpcHttp {
  if (returnValue?.data?.$case === 'http') return returnValue.data.value;
  throw new Error(`no HTTP response: ${result?.exception?.message}`);
}

function bodyOf(response: InvocationResponse): string {
  const body = httpOf(response).body?.data;
  return body?.$case === 'bytes' ? Buffer.from(body.value).toString('utf8') : '';
}

/** Runs the worker until it ends by itself. */
function run(
  program: string,
  args: readonly string[],
  worker = bundle.path,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(program, [worker, ...args], { stdio: ['ignore', 'inherit', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}
