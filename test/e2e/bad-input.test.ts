/** What people get wrong: each time a clear message with the fix, and nothing else is harmed. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, runSwitchyard, startDevProcess, testApp } from './dev-process.ts';

let folder: string;
let dev: DevProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-bad-'));
});
afterEach(async () => {
  await dev?.close();
  dev = undefined;
  await rm(folder, { recursive: true, force: true });
});

const hostJson = { version: '2.0' };
const nodeSettings = { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } };
const httpBinding = (route: string) => ({
  type: 'httpTrigger',
  direction: 'in',
  name: 'req',
  authLevel: 'anonymous',
  route,
});
const httpFunction = (route: string) => ({
  bindings: [httpBinding(route), { type: 'http', direction: 'out', name: 'res' }],
});
const script = "module.exports = async (context) => { context.res = { body: 'fine' }; };";

async function writeApp(name: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  const root = join(folder, name);
  const all = { 'host.json': hostJson, 'local.settings.json': nodeSettings, ...files };
  for (const [file, content] of Object.entries(all)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  }
  return root;
}

const start = async (...apps: string[]): Promise<DevProcess> => {
  dev = await startDevProcess({ apps, flags: ['--no-azurite'] });
  return dev;
};

describe('a command that cannot run', () => {
  it.each([
    [['dve'], 2, "There is no command 'dve'. Did you mean 'dev'?"],
    [['dev', '--prot', '80'], 2, "There is no flag '--prot'. Did you mean --port?"],
    [['dev', '--port', 'high'], 2, "--port must be a whole number from 0 to 65535, not 'high'."],
    [['dev', '/nowhere/at/all'], 2, "'/nowhere/at/all' does not exist."],
    [['dev', join(exampleApp('hello-v3'), 'host.json')], 2, 'is a file. Name the folder of a function app'],
    [['dev', testApp('.')], 2, 'is no function app: it holds no host.json'],
  ])('%j ends with %i', async (words, code, message) => {
    const result = await runSwitchyard(words);
    expect(result.code).toBe(code);
    expect(result.output).toContain(message);
    expect(result.output).not.toContain('    at ');
  });

  it('tells of a folder that cannot be read', async () => {
    const loop = join(folder, 'loop');
    await symlink(loop, loop);
    const result = await runSwitchyard(['dev', loop]);
    expect(result).toMatchObject({ code: 2, output: expect.stringContaining(`'${loop}' cannot be read`) });
  });

  it.each([
    ['host.json', '{\n  "version": "2.0",\n  "extensions": nothing\n}', ['line 3']],
    ['host.json', '{ "version": "2.0", "functionTimeout": "soon" }', ['functionTimeout']],
    ['host.json', '{ "queues": {} }', ['version']],
    ['local.settings.json', '{\n  "Values": { "A": "1" \n', ['line 3']],
    ['local.settings.json', '{ "IsEncrypted": true, "Values": {} }', ['encrypted']],
  ])('names the broken %s and the place in %j', async (file, text, parts) => {
    const app = await writeApp('app', { [file]: text });
    const result = await runSwitchyard(['dev', app, '--port', '0']);
    expect(result.code).toBe(2);
    for (const part of [join(app, file), ...parts]) expect(result.output).toContain(part);
  });

  it('names the language that nobody here speaks', async () => {
    const app = await writeApp('app', { 'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'cobol' } } });
    const result = await runSwitchyard(['dev', app, '--port', '0']);
    expect(result.output).toContain("There is no worker for 'cobol'");
    expect(result.output).toContain('FUNCTIONS_WORKER_RUNTIME');
    expect(result.code).not.toBe(0);
  });

  it('names the port in use and the flag', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    const result = await runSwitchyard(['dev', exampleApp('hello-v3'), '--port', String(port)]);
    await closeServer(taken);
    expect(result.code).toBe(3);
    expect(result.output).toContain(`Port ${port} is unavailable`);
    expect(result.output).toContain('--port');
  });
});

describe('an app that is partly broken', () => {
  it('runs the good function beside bad ones, and names each of those', async () => {
    const app = await writeApp('mixed', {
      'good/function.json': httpFunction('good'),
      'good/index.js': script,
      'no-json/function.json': '{ "bindings": [',
      'no-json/index.js': script,
      'no-trigger/function.json': { bindings: [{ type: 'http', direction: 'out', name: 'res' }] },
      'no-trigger/index.js': script,
      'odd-binding/function.json': { bindings: [{ type: 'carrierPigeonTrigger', direction: 'in', name: 'bird' }] },
      'odd-binding/index.js': script,
      'no-setting/function.json': {
        bindings: [{ type: 'timerTrigger', direction: 'in', name: 'timer', schedule: '%NOBODY_SET_THIS%' }],
      },
      'no-setting/index.js': script,
      'same-route/function.json': httpFunction('good'),
      'same-route/index.js': script,
    });
    const running = await start(app);
    expect((await running.request('/api/good')).text).toBe('fine');
    const listed = running.output;
    expect(listed).toMatch(/\tno-json: .*function\.json.*line 1/);
    expect(listed).toMatch(/\tno-trigger: .*trigger/);
    expect(listed).toMatch(/\todd-binding: .*carrierPigeonTrigger/);
    expect(listed).toMatch(/\tno-setting: .*NOBODY_SET_THIS/);
    expect(listed).toMatch(/\tsame-route: .*good/);
  });

  it('fails only the function whose script throws when it is loaded', async () => {
    const app = await writeApp('mixed', {
      'good/function.json': httpFunction('good'),
      'good/index.js': script,
      'throws/function.json': httpFunction('throws'),
      'throws/index.js': "throw new Error('no coffee left');",
    });
    const running = await start(app);
    expect((await running.request('/api/good')).text).toBe('fine');
    expect((await running.request('/api/throws')).status).toBe(500);
    await running.line(/no coffee left/);
  });

  it('shows what the entry file of a v4 app throws, and runs the app beside it', async () => {
    const running = await start(testApp('throws-at-load'), exampleApp('hello-v3'));
    await running.line(/throws-at-load: .*the settings of the shop are missing/);
    await running.line(/at file:.*throws-at-load\/src\/index\.js:3:/);
    expect((await running.request('/api/hello', { app: 'hello-v3' })).status).toBe(200);
    const answer = await running.request('/api/any', { app: 'throws-at-load' });
    expect(answer).toMatchObject({
      status: 503,
      text: expect.stringContaining('the settings of the shop are missing'),
    });
  });

  it('says that an app without functions has none', async () => {
    const running = await start(await writeApp('empty', {}));
    expect(running.lines).toContain('\tnone');
  });

  it('runs the good app beside one that is broken, and beside one of the same name', async () => {
    const broken = await writeApp('broken', { 'host.json': '[' });
    const twin = await writeApp('other/hello-v3', {});
    const running = await start(exampleApp('hello-v3'), broken, twin);
    expect((await running.request('/api/hello')).text).toBe('Hello, world!');
    // What went wrong is told on another stream than that the rest is ready.
    await running.line(new RegExp(join(broken, 'host\\.json')));
    await running.line(/would both be the app 'hello-v3'/);
  });
});

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
