/** Hot reload with real processes: what is saved is served, nothing is dropped, and what is broken stays outside. */
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AppFolder, type Files, httpFunction, openAppFolder } from './app-folder.ts';
import { type DevProcess, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue, type TestQueue } from './queues.ts';

let app: AppFolder;
let dev: DevProcess;
afterEach(async () => {
  await dev?.close();
  await app?.close();
});

const hello = (text: string): string => httpFunction('hello', `'${text}'`);

async function start(files: Files, flags: readonly string[] = [], environment: Record<string, string> = {}) {
  app = await openAppFolder(files);
  dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite', ...flags], environment });
}

/** Saves files, and waits until the app was reloaded; returns the line that says so. */
async function reload(files: Files): Promise<string> {
  const before = reloads().length;
  await app.write(files);
  const lines = await dev.matching(/app reloaded in \d+ ms/, before + 1);
  return lines.at(-1) ?? '';
}

function reloads(): readonly string[] {
  return dev.lines.filter((line) => line.includes('app reloaded in'));
}

const ask = async (path = '/hello'): Promise<string> => (await dev.request(path)).text;
/** Resolves when the app answers so. */
async function answering(text: string): Promise<void> {
  while ((await ask()) !== text) await new Promise((resolve) => setImmediate(resolve));
}

const count = (text: string): number => dev.output.split(text).length - 1;

describe('a changed app', () => {
  it('serves the new code, and tells so in one line', async () => {
    await start({ 'src/hello.js': hello('one') });
    expect(await ask()).toBe('one');
    expect(await reload({ 'src/hello.js': hello('two') })).toMatch(/^app reloaded in \d+ ms \(src\/hello\.js\)$/);
    expect(await ask()).toBe('two');
  });

  it('answers every request while it is reloaded again and again, and ends calls with the code they began with', async () => {
    const slow = (version: number): string =>
      `import { app } from '@azure/functions';
       app.http('slow', { route: 'slow', authLevel: 'anonymous', handler: async (request) => {
         await new Promise((resolve) => setTimeout(resolve, 800));
         return { body: 'slow ${version}' };
       } });
       app.http('echo', { route: 'echo', authLevel: 'anonymous', handler: async (request) => ({ body: await request.text() }) });
       app.http('stream', { route: 'stream', authLevel: 'anonymous', handler: async () => ({
         body: new ReadableStream({ async start(controller) {
           for (let line = 0; line < 10; line += 1) {
             controller.enqueue(new TextEncoder().encode('${version}\\n'));
             await new Promise((resolve) => setTimeout(resolve, 80));
           }
           controller.close();
         } }),
       }) });`;
    const streaming = "import { app } from '@azure/functions';\napp.setup({ enableHttpStream: true });\n";
    await start({ 'src/a-setup.js': streaming, 'src/hello.js': hello('0'), 'src/slow.js': slow(0) });
    const wrong: string[] = [];
    const answers = new Map<string, number>();
    let goesOn = true;
    const load = async (path: string, fits: (text: string) => boolean, body?: string): Promise<void> => {
      while (goesOn) {
        const { status, text } = await dev.request(path, body === undefined ? {} : { body });
        answers.set(path, (answers.get(path) ?? 0) + 1);
        if (status !== 200 || !fits(text)) wrong.push(`${path}: ${status} ${text}`);
      }
    };
    const oneVersion = (text: string): boolean => new Set(text.trim().split('\n')).size === 1 && text.length >= 20;
    const loads = [
      ...Array.from({ length: 4 }, () => load('/hello', (text) => /^\d+$/.test(text))),
      ...Array.from({ length: 2 }, () => load('/slow', (text) => /^slow \d+$/.test(text))),
      load('/echo', (text) => text === 'a body', 'a body'),
      load('/stream', oneVersion),
    ];
    for (let version = 1; version <= 10; version += 1) {
      await app.write({ 'src/hello.js': hello(String(version)), 'src/slow.js': slow(version) });
      await answering(String(version));
    }
    goesOn = false;
    await Promise.all(loads);
    expect(wrong).toEqual([]);
    expect(answers.get('/hello')).toBeGreaterThan(100);
    expect(answers.get('/stream')).toBeGreaterThan(0);
  });

  it('lets a call end that began before, and ends its process then', async () => {
    const code = (version: string): string =>
      `import { app } from '@azure/functions';
       app.http('wait', { route: 'wait/{ms:int}', authLevel: 'anonymous', handler: async (request, context) => {
         context.log('waiting in', process.pid);
         await new Promise((resolve) => setTimeout(resolve, Number(request.params.ms)));
         return { body: '${version} ' + process.pid };
       } });`;
    await start({ 'src/wait.js': code('old') });
    const waiting = dev.request('/wait/2000');
    await dev.line(/waiting in \d+/);
    await reload({ 'src/wait.js': code('new') });
    const [version, pid] = (await ask('/wait/0')).split(' ');
    expect(version).toBe('new');
    const old = await waiting;
    expect(old).toMatchObject({ status: 200, text: expect.stringMatching(/^old \d+$/) });
    expect(old.text.split(' ')[1]).not.toBe(pid);
  });

  it('tries the newest state only when several saves follow one another', async () => {
    await start({ 'src/hello.js': hello('0') });
    for (let version = 1; version <= 20; version += 1) await app.write({ 'src/hello.js': hello(String(version)) });
    await answering('20');
    expect(reloads().length).toBeLessThan(20);
  });

  it('gets the settings that were saved, and keeps those of the shell above them', async () => {
    const code = httpFunction('hello', "process.env.GREETING + ' ' + process.env.SHELL_VALUE");
    const settings = (greeting: string): object => ({
      Values: { FUNCTIONS_WORKER_RUNTIME: 'node', GREETING: greeting, SHELL_VALUE: 'file' },
    });
    await start({ 'src/hello.js': code, 'local.settings.json': settings('Hello') }, [], { SHELL_VALUE: 'shell' });
    expect(await ask()).toBe('Hello shell');
    await reload({ 'local.settings.json': settings('Ahoy') });
    expect(await ask()).toBe('Ahoy shell');
  });

  it('gets functions, files and folders that are new, and loses those that go', async () => {
    await start({ 'src/hello.js': hello('one'), 'src/old.js': httpFunction('old', "'old'") });
    await reload({ 'src/bye.js': httpFunction('bye', "'bye'") });
    await dev.line(/^\tbye: \[GET,POST\] http:\/\/localhost:\d+\/bye$/);
    expect(await ask('/bye')).toBe('bye');
    await reload({ 'src/lib/deep/text.js': "export const text = 'deep';" });
    const importing = `import { text } from './lib/deep/text.js';\n${httpFunction('hello', 'text')}`;
    await reload({ 'src/hello.js': importing });
    expect(await ask()).toBe('deep');
    await reload({ 'src/lib/deep/text.js': "export const text = 'deeper';" });
    expect(await ask()).toBe('deeper');
    await app.remove('src/old.js');
    await dev.line(/^Removed functions: old$/);
    expect((await dev.request('/old')).status).toBe(404);
  });

  it('follows host.json', async () => {
    await start({ 'src/hello.js': hello('one') });
    await reload({ 'host.json': { version: '2.0', extensions: { http: { routePrefix: 'v2' } } } });
    expect([(await dev.request('/hello')).status, await ask('/v2/hello')]).toEqual([404, 'one']);
  });

  it('stays as it is with --no-watch, until its worker starts anew', async () => {
    const exit = httpFunction('exit', '(setImmediate(() => process.exit(1)), "bye")');
    await start({ 'src/hello.js': hello('one'), 'src/exit.js': exit }, ['--no-watch']);
    await app.write({ 'src/hello.js': hello('two') });
    expect(await ask()).toBe('one');
    await dev.request('/exit');
    await dev.line(/A worker process ended/);
    expect(await ask()).toBe('two');
    expect(reloads()).toEqual([]);
  });

  it('is told as records with --json', async () => {
    app = await openAppFolder({ 'src/hello.js': hello('one') });
    dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite', '--json'], waitsUntilReady: false });
    await dev.line(/"message":"Ready"/);
    await app.write({ 'src/hello.js': hello('two') });
    const reloaded = JSON.parse(await dev.line(/"message":"App reloaded"/));
    expect(reloaded).toMatchObject({ applicationId: 'shop', changed: ['src/hello.js'], added: [], removed: [] });
    expect(reloaded.durationMs).toEqual(expect.any(Number));
    await app.write({ 'src/hello.js': 'const a = ;' });
    const failed = JSON.parse(await dev.line(/"message":"App not reloaded"/));
    expect(failed).toMatchObject({ level: 'error', applicationId: 'shop', place: 'src/hello.js:1' });
    expect(failed.error).toContain("SyntaxError: Unexpected token ';'");
  });
});

describe('a change that does not work', () => {
  it.each<[string, Files, RegExp, string]>([
    [
      'a syntax error in an ES module',
      { 'src/hello.js': "import 'node:fs';\n\nconst a = ;\n" },
      /^app not reloaded: src\/hello\.js:3 - SyntaxError: Unexpected token ';'$/,
      "Unexpected token ';'",
    ],
    [
      'a syntax error in a file that it imports',
      { 'src/lib/shared.js': 'export const a = 1;\n}', 'src/hello.js': "import './lib/shared.js';" },
      /^app not reloaded: src\/lib\/shared\.js:2 - SyntaxError: Unexpected token '}'$/,
      "Unexpected token '}'",
    ],
    [
      'an entry file that throws',
      { 'src/hello.js': "\n\nthrow new Error('no coffee left');" },
      /^app not reloaded: src\/hello\.js:3:7 - .*no coffee left/,
      'no coffee left',
    ],
    ['no function left', { 'src/hello.js': '' }, /^app not reloaded: .*has no functions/, 'has no functions'],
    [
      'a broken host.json',
      { 'host.json': '{\n  "version": \n}' },
      /^app not reloaded: host\.json:3:1 - .*host\.json is not valid JSON/,
      'is not valid JSON',
    ],
    [
      'a wrong value in host.json',
      { 'host.json': { version: '2.0', functionTimeout: 'soon' } },
      /^app not reloaded: host\.json - .*functionTimeout/,
      'functionTimeout',
    ],
    [
      'settings that are no JSON',
      { 'local.settings.json': '{' },
      /^app not reloaded: local\.settings\.json:1:2 - /,
      'local.settings.json is not valid JSON',
    ],
    [
      'a process that ends while it starts',
      { 'src/hello.js': "console.error('cannot go on'); process.exit(3);" },
      /^app not reloaded: .*ended \(exit code 3\)/,
      'cannot go on',
    ],
  ])('%s: is told once with its place, and the last good version serves until it is mended', async (...given) => {
    const [, files, line, text] = given;
    const good: Files = {
      'src/hello.js': hello('one'),
      'host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
      'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } },
    };
    await start(good);
    await app.write(files);
    await dev.line(line);
    await dev.line(/^ {2}The last good version goes on serving\.$/);
    expect(await ask()).toBe('one');
    expect(count(text)).toBe(1);
    await reload({ ...good, 'src/hello.js': hello('two') });
    expect(await ask()).toBe('two');
    expect(count('app not reloaded')).toBe(1);
  });

  it('the same failure again costs one line', async () => {
    await start({ 'src/hello.js': hello('one') });
    await app.write({ 'src/hello.js': 'const a = ;' });
    await dev.line(/app not reloaded: src\/hello\.js:1 - /);
    await app.write({ 'src/hello.js': 'const a = ;\n\nconst b = 1;' });
    await dev.line(/^app not reloaded: the same error \(src\/hello\.js:1\)$/);
    expect(count('SyntaxError')).toBe(1);
  });

  it('what the app prints while it is loaded is shown all the same', async () => {
    await start({ 'src/hello.js': hello('one') });
    await app.write({ 'src/hello.js': "console.log('loading the settings');\nthrow new Error('no coffee left');" });
    await dev.line(/no coffee left/);
    await dev.line(/loading the settings/);
    await app.write({ 'src/hello.js': `console.log('loaded anew');\n${hello('two')}` });
    await dev.line(/loaded anew/);
  });

  it('a script of a v3 function does not take the place of one that works', async () => {
    const functionJson = {
      bindings: [
        { type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous' },
        { type: 'http', direction: 'out', name: 'res' },
      ],
    };
    const script = (text: string): string =>
      `module.exports = async (context) => { context.res = { body: '${text}' }; };`;
    await start({
      'package.json': { name: 'shop' },
      'hello/function.json': functionJson,
      'hello/index.js': script('one'),
    });
    await app.write({ 'hello/index.js': 'const a = ;' });
    await dev.line(/^app not reloaded: hello\/index\.js:1 - SyntaxError/);
    await app.write({ 'hello/index.js': script('two'), 'hello/function.json': '{' });
    await dev.line(/^app not reloaded: hello\/function\.json:1:2 - /);
    expect(await ask()).toBe('one');
    await reload({ 'hello/function.json': functionJson });
    expect(await ask()).toBe('two');
  });

  it('an app that did not start at first starts when it is mended', async () => {
    app = await openAppFolder({ 'src/hello.js': 'const a = ;' });
    dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite'] });
    await dev.line(/^app not started: src\/hello\.js:1 - SyntaxError/);
    expect((await dev.request('/hello')).status).toBe(503);
    await reload({ 'src/hello.js': hello('one') });
    expect(await ask()).toBe('one');
    await dev.line(/^\thello: \[GET,POST\] /);
    expect(count('SyntaxError')).toBe(1);
  });
});

describe('a debugger', () => {
  const evaluate = async (port: number) => {
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
    const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    const answered = new Promise<string>((resolve) => {
      socket.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)).result.result.value));
    });
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'globalThis.version' } }));
    return { value: await answered, closed, socket };
  };
  const code = (version: string): string => `globalThis.version = '${version}';\n${hello(version)}`;

  it('finds every version at the same port', async () => {
    await start({ 'src/hello.js': code('one') }, [], { languageWorkers__node__arguments: '--inspect=0' });
    const port = Number(/:(\d+)\//.exec(await dev.line(/^Debugger listening on ws:\/\/127\.0\.0\.1:\d+\//))?.[1]);
    const first = await evaluate(port);
    expect(first.value).toBe('one');
    await reload({ 'src/hello.js': code('two') });
    await first.closed;
    const second = await evaluate(port);
    second.socket.close();
    expect(second.value).toBe('two');
    const addresses = dev.lines.filter((line) => line.includes('Debugger listening on'));
    expect(addresses.map((line) => Number(/:(\d+)\//.exec(line)?.[1]))).toEqual([port, port]);
  });
});

describe('a TypeScript app', () => {
  const typescript: Files = {
    'package.json': { name: 'shop', main: 'dist/src/*.js' },
    'tsconfig.json': {
      compilerOptions: {
        target: 'es2022',
        module: 'commonjs',
        moduleResolution: 'bundler',
        rootDir: '.',
        outDir: 'dist',
        sourceMap: true,
        strict: true,
        skipLibCheck: true,
        types: ['node'],
      },
      include: ['src'],
    },
  };

  it('is compiled when that is needed, and its errors are told with their place', async () => {
    await start({ ...typescript, 'src/hello.ts': hello('one') });
    expect(await ask()).toBe('one');
    await dev.line(/^dist is missing: 'tsc --watch' builds it\.$/);
    await app.write({ 'src/hello.ts': hello('two') });
    await answering('two');
    await app.write({ 'src/hello.ts': `const count: number = 'many';\n${hello('three')}` });
    await dev.line(/^src\/hello\.ts:1:7 - error TS2322: /);
    await answering('three');
    expect(await dev.stop()).toMatchObject({ code: 0 });
  });

  it('has traces that name its sources', async () => {
    const thrower = `import { app } from '@azure/functions';
      interface Wares { count: number }
      app.http('hello', { authLevel: 'anonymous', handler: async () => {
        throw new Error('none left'); } });`;
    await start({ ...typescript, 'src/hello.ts': thrower });
    expect((await dev.request('/hello')).status).toBe(500);
    await dev.line(/ at .*src\/hello\.ts:4:15\)?$/);
  });
});

describe.skipIf(azuritePart.skip)('timers and queues of a changed app', () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
  });
  afterAll(() => azurite.stop());

  it('lose no message, handle none twice, and go on with the new code', async () => {
    const code = (version: number): string => `import { app, output } from '@azure/functions';
      app.storageQueue('work', { queueName: 'work', connection: 'AzureWebJobsStorage',
        return: output.storageQueue({ queueName: 'done', connection: 'AzureWebJobsStorage' }),
        handler: async (message) => {
          await new Promise((resolve) => setTimeout(resolve, message.ms));
          return { id: message.id, version: ${version} };
        } });`;
    const storage = azurite.connectionString;
    const [work, done] = [await openQueue(storage, 'work'), await openQueue(storage, 'done')];
    const queues = { maxPollingInterval: '00:00:00.2000000', visibilityTimeout: '00:00:30' };
    await start({ 'src/work.js': code(0), 'host.json': { version: '2.0', extensions: { queues } } }, [], {
      AzureWebJobsStorage: storage,
    });
    const total = 60;
    await work.send({ id: 'long', ms: 4_000 });
    for (let id = 0; id < total; id += 1) {
      await work.send({ id, ms: 50 });
      if (id % 10 === 5) await reload({ 'src/work.js': code(id) });
    }
    const handled = (await done.take(total + 1)) as { id: number | string; version: number }[];
    const ids = handled.map(({ id }) => String(id)).sort();
    expect(ids).toEqual([...Array.from({ length: total }, (_, id) => String(id)), 'long'].sort());
    expect(handled.find(({ id }) => id === 'long')?.version).toBe(0);
    expect(handled.some(({ version }) => version === 55)).toBe(true);
    await emptied(work);
    await expect.poll(() => work.size()).toBe(0);
  });

  it('fire once at each time', async () => {
    const code = (version: number): string => `import { app } from '@azure/functions';
      app.timer('tick', { schedule: '* * * * * *',
        handler: (timer, context) => context.log('tick of ${version}') });`;
    await start({ 'src/tick.js': code(0) }, [], { AzureWebJobsStorage: azurite.connectionString });
    for (let version = 1; version <= 4; version += 1) {
      await dev.line(new RegExp(`tick of ${version - 1} `));
      await reload({ 'src/tick.js': code(version) });
    }
    await dev.line(/tick of 4 /);
    // By the clock of the Runtime: a worker that has much to do may come to a tick when the next one is due.
    const seconds = dev.lines.flatMap(
      (line) => /'Functions\.tick' \(Reason='Timer fired at ([^.]+)/.exec(line)?.[1] ?? [],
    );
    expect(seconds.length).toBeGreaterThan(4);
    expect(seconds.length).toBe(new Set(seconds).size);
  });
});

/** Resolves when the queue is empty: a message is deleted after its outputs were written. */
async function emptied(queue: TestQueue): Promise<void> {
  while ((await queue.size()) > 0) await new Promise((resolve) => setImmediate(resolve));
}
