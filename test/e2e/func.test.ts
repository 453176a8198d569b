/** `func start` as editors, scripts and people use it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder, runCommand, startCommand } from './command-line.ts';
import { type DevProcess, exampleApp, isAlive, testApp } from './dev-process.ts';

let folder: AppFolder;
let running: DevProcess | undefined;
beforeEach(async () => {
  folder = await openAppFolder();
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  await folder.remove();
});

/** Starts `func` in an app's folder on a free port, with its data elsewhere. */
function func(app: string, words: readonly string[], environment: Record<string, string> = {}, node?: string) {
  const own = { SWITCHYARD_DATA_DIR: folder.path, SWITCHYARD_NO_AZURITE: 'true', ...environment };
  const options = { environment: own, ...(node === undefined ? {} : { node }) };
  running = startCommand('func', app, words, options);
  return running;
}

const isReady = /Host lock lease acquired by instance ID/;
const storage = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
const start = ['start', '--port', '0'];

describe('func start', () => {
  it.each([['start'], ['host', 'start']])('%s %s prints the lines that programs wait for', async (...verb) => {
    const host = func(exampleApp('hello-typescript'), [...verb, '--port', '0']);
    await host.line(isReady);
    const port = await host.port();
    const stamp = '\\[\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\]';
    expect(host.output).toMatch(/^Core Tools Version: +4\.\d+\.\d+$/m);
    expect(host.output).toMatch(/^Function Runtime Version: +4\.\d+\.\d+$/m);
    expect(host.output).toMatch(new RegExp(`^${stamp} Worker process started and initialized\\.$`, 'm'));
    expect(host.output).toContain(
      [
        '',
        'Functions:',
        '',
        `\tconvert: [GET] http://localhost:${port}/api/convert/{degrees:double}`,
        '',
        `\thello: [GET] http://localhost:${port}/api/hello/{name?}`,
        '',
        'For detailed output, run func with --verbose flag.',
      ].join('\n'),
    );
    expect(host.output).toMatch(new RegExp(`^${stamp} Job host started$`, 'm'));
    expect(host.output).toMatch(
      new RegExp(`^${stamp} Host lock lease acquired by instance ID '[0-9A-F]{32}'\\.$`, 'm'),
    );
    expect(host.output).not.toContain('\u001b');
    expect((await host.request('/api/hello/Ada')).text).toBe('Hello, Ada!');
    expect((await host.request('/admin/host/status')).text).toContain('"state":"Running"');
  });

  it('works where --script-root says, and shows more with --verbose', async () => {
    const host = func(folder.path, ['start', '--script-root', exampleApp('hello-v3'), '--verbose', '-p', '0']);
    await host.line(isReady);
    expect(host.output).toContain("Mapped function route 'api/hello/{name?}'");
    expect(host.output).not.toContain('run func with --verbose flag');
    expect((await host.request('/api/hello')).text).toBe('Hello, world!');
  });

  it('shows what a function logs while it still runs', async () => {
    const host = func(testApp('steady'), start, storage);
    await host.line(isReady);
    let answered = false;
    const answer = host.request('/wait/1500').then((reply) => {
      answered = true;
      return reply;
    });
    await host.line(/the wait begins/);
    expect(answered).toBe(false);
    expect((await answer).text).toBe('waited');
  });

  it('runs the named functions only', async () => {
    const host = func(exampleApp('hello-v3'), [...start, '--functions', 'shout']);
    await host.line(isReady);
    expect(host.output).toMatch(/^\tshout: /m);
    expect(host.output).not.toMatch(/^\thello: /m);
    expect((await host.request('/api/hello')).status).toBe(404);
  });

  it('gives the language worker its arguments', async () => {
    const host = func(exampleApp('hello-v3'), [...start, '--language-worker', '--', '--inspect=0']);
    await host.line(/Debugger listening on ws:\/\/127\.0\.0\.1:\d+/);
    await host.line(isReady);
    expect((await host.request('/api/hello')).status).toBe(200);
  });

  it('lets pages call whose origin is named', async () => {
    const host = func(exampleApp('hello-v3'), [...start, '--cors', 'https://shop.example', '--cors-credentials']);
    const ask = (origin: string) => host.request('/api/hello', { headers: { origin } });
    const allowed = await ask('https://shop.example');
    expect(allowed.headers['access-control-allow-origin']).toBe('https://shop.example');
    expect(allowed.headers['access-control-allow-credentials']).toBe('true');
    expect((await ask('https://other.example')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('asks for keys with --enableAuth, and tells where they are', async () => {
    const host = func(exampleApp('hello-javascript'), [...start, '--enableAuth'], storage);
    const [path = ''] = /[^ ]+keys\.json$/.exec(await host.line(/^Function keys are in /)) ?? [];
    await host.line(isReady);
    expect((await host.request('/api/status')).status).toBe(401);
    const keys = JSON.parse(await folder.read('keys.json')).apps['hello-javascript'];
    expect(path).toContain(folder.path);
    expect((await host.request(`/api/status?code=${keys.host.default}`)).status).toBe(200);
  });

  it('takes the level from which lines of functions are shown', async () => {
    const host = func(exampleApp('hello-typescript'), [...start, '--user-log-level', 'Error']);
    await host.line(isReady);
    expect((await host.request('/api/hello/Ada')).status).toBe(200);
    await host.stop();
    expect(host.output).not.toContain('Greeting Ada');
  });

  it('says what has no effect, and goes on', async () => {
    const host = func(exampleApp('hello-v3'), [...start, '--timeout', '60', '--pause-on-error', '--no-build']);
    await host.line(isReady);
    expect(host.output).toContain('Without effect on Switchyard, and ignored: --timeout, --pause-on-error.');
  });

  it('tells of a port in use, and of a folder without an app', async () => {
    const host = func(exampleApp('hello-v3'), start);
    const port = String(await host.port());
    const second = await runCommand('func', exampleApp('hello-v3'), ['start', '--port', port]);
    expect(second).toMatchObject({ code: 3, output: expect.stringContaining(`Port ${port} is unavailable`) });
    const nothing = await runCommand('func', folder.path, ['start']);
    expect(nothing).toMatchObject({ code: 2, output: expect.stringContaining('is no function app') });
  });
});

describe('the end of func start', () => {
  const pidOf = async (host: DevProcess): Promise<number> => JSON.parse((await host.request('/environment')).text).pid;

  it.each([
    ['the Node of Switchyard', undefined],
    ["the machine's Node", 'node'],
  ])('comes with exit code 0 after quick signals, through %s', async (_what, node) => {
    const host = func(testApp('steady'), start, storage, node);
    await host.line(isReady);
    const pid = await pidOf(host);
    for (let signals = 0; signals < 3; signals += 1) host.signal('SIGINT');
    expect(await host.exited()).toEqual({ code: 0, signal: null });
    expect(host.output).toContain('Stopping host...');
    expect(isAlive(pid)).toBe(false);
  });

  it('lets a request in flight end', async () => {
    const host = func(testApp('steady'), start, storage);
    const answer = host.request('/wait/1000');
    await host.line(/the wait begins/);
    host.signal('SIGTERM');
    expect(await answer).toMatchObject({ status: 200, text: 'waited' });
    expect(await host.exited()).toEqual({ code: 0, signal: null });
  });
});

describe('func', () => {
  it('prints the version that its host reports', async () => {
    const { code, output } = await runCommand('func', folder.path, ['--version'], { node: 'node' });
    expect(code).toBe(0);
    const host = func(exampleApp('hello-v3'), start);
    await host.line(isReady);
    expect(JSON.parse((await host.request('/admin/host/status')).text).version).toBe(output);
  });

  it.each([
    [['azure', 'functionapp', 'publish', 'shop'], 1, "does not support 'func azure'"],
    [['start', '--prot', '1'], 2, 'Did you mean --port?'],
    [['start', '--useHttps'], 2, '--useHttps is not supported'],
    [['extensions', 'install'], 0, 'There is nothing to install'],
  ])('%j ends with %i', async (words, code, message) => {
    const result = await runCommand('func', folder.path, words);
    expect(result).toMatchObject({ code, output: expect.stringContaining(message) });
  });
});
