import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runInMemory } from '../testing/run-in-memory.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { runFunc } from './run-func.ts';
import { answeredVerbs, funcVerbs } from './verbs.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const run = (...words: string[]) => runInMemory(runFunc, words, { workingDirectory: folder.path });
const runLine = (line: string) => run(...(line === '' ? [] : line.split(' ')));

describe('func', () => {
  it.each(['--version', '-v', 'version', '-V'])('prints a bare version for %j', async (word) => {
    expect(await run(word)).toEqual({ exitCode: 0, out: expect.stringMatching(/^4\.\d+\.\d+\n$/), err: '' });
  });

  it.each(['', '--help', 'help', '-h', 'host', 'host --help', 'function'])('shows the help for %j', async (line) => {
    const { exitCode, out } = await runLine(line);
    expect(exitCode).toBe(0);
    for (const { names } of funcVerbs) expect(out).toContain(`  ${names[0]}`);
    for (const { name, isDone } of answeredVerbs) expect(out.includes(name)).toBe(!isDone);
  });

  it.each(['start --help', 'help start', 'host start -h', 'START --HELP'])('explains a verb for %j', async (line) => {
    const { exitCode, out } = await runLine(line);
    expect(exitCode).toBe(0);
    expect(out).toContain('Or:    func host start\n');
    expect(out).toMatch(/ {2}-p, --port N +listens/);
    expect(out).toMatch(/Accepted without effect: .*--timeout/);
  });

  it.each([
    ['azure functionapp publish shop', 1, "does not support 'func azure'. Use the official"],
    ['settings list', 2, "local.settings.json' cannot be used: it is not there"],
    ['settings add OnlyName', 2, 'A word is missing: func settings add NAME VALUE.'],
    ['settings encrypt', 2, "There is no verb 'settings encrypt'."],
    ['strat', 2, "There is no verb 'strat'. Did you mean 'func start'? 'func help' lists all."],
    ['host strat', 2, "There is no verb 'host strat'. Did you mean 'func host start'?"],
    ['__proto__', 2, "There is no verb '__proto__'."],
    ['start --prot 1', 2, "There is no flag '--prot'. Did you mean --port?"],
    ['start --useHttps', 2, '--useHttps is not supported'],
    ['start --port high', 2, "--port must be a whole number from 0 to 65535, not 'high'."],
    ['start', 2, 'is no function app: it holds no host.json'],
    ['new', 2, 'Name the template: func new --template "HTTP trigger".'],
    ['new --template Magic', 2, "There is no trigger 'Magic'."],
    ['init --worker-runtime python', 2, "There are templates for Node.js apps, and none for 'python'."],
    ['init --language cobol', 2, "There is no language 'cobol'."],
  ])('answers %j with exit code %i', async (line, exitCode, message) => {
    expect(await runLine(line)).toMatchObject({ exitCode, err: expect.stringContaining(message) });
  });

  it('lets scripts go on that install extensions', async () => {
    expect(await runLine('extensions install --force')).toMatchObject({ exitCode: 0, err: '' });
  });

  it('says once what has no effect', async () => {
    const { err } = await runLine('start host --timeout 40 --pause-on-error --password hunter2');
    expect(err).toContain(
      "Without effect on Switchyard, and ignored: --timeout, --pause-on-error, --password, 'host'.\n",
    );
    expect(err).not.toContain('hunter2');
  });
});

describe('func init and func new', () => {
  it.each([
    ['--worker-runtime node --language typescript', 'TypeScript'],
    ['--worker-runtime node', 'JavaScript'],
    ['--worker-runtime typescript --model V4 --skip-npm-install', 'TypeScript'],
    ['--javascript', 'JavaScript'],
    ['', 'TypeScript'],
  ])('makes an app for %j', async (flags, language) => {
    const { exitCode, out } = await runLine(`init shop ${flags}`.trim());
    expect(exitCode).toBe(0);
    expect(out).toContain(`Made the ${language} app 'shop'`);
    expect(out).toContain('func start');
    expect(JSON.parse(await folder.read('shop/package.json')).scripts.start).toBe('func start');
  });

  it('makes one of the v3 model, without a bundle', async () => {
    const { out } = await runLine('init --worker-runtime node --model v3 --no-bundle');
    expect(out).toContain('Made the JavaScript app');
    expect(JSON.parse(await folder.read('host.json'))).toEqual({ version: '2.0' });
  });

  it('completes what is there, in its language', async () => {
    await runLine('init --javascript');
    const again = await runLine('init');
    expect(again.exitCode).toBe(0);
    expect(again.out).toContain('There already, and left as they are:\n  package.json\n');
    await expect(folder.read('tsconfig.json')).rejects.toThrow('ENOENT');
  });

  it('warns of what it does not make', async () => {
    const { err } = await runLine('init --javascript --docker --source-control');
    expect(err).toBe('Without effect on Switchyard, and ignored: --docker, --source-control.\n');
  });

  it.each([
    ['new', 'HTTP trigger'],
    ['new', 'HttpTrigger'],
    ['new', 'http'],
    ['function new', 'Azure Queue Storage trigger'],
    ['function create', 'Timer trigger'],
  ])('adds a function with %s --template %j', async (verb, template) => {
    await runLine('init --javascript');
    const { exitCode, out } = await run(...verb.split(' '), '--template', template, '--name', 'work', '-a', 'admin');
    expect(exitCode).toBe(0);
    expect(out).toContain(`The function "work" was created successfully from the "${template}" template.\n`);
    expect(await folder.read('src/functions/work.js')).toContain("('work', {");
  });

  it('works in the folder that --script-root names', async () => {
    await runLine('init --script-root api --javascript');
    await runLine('new --template http --script-root api');
    expect(await folder.read(join('api', 'src', 'functions', 'hello.js'))).toContain("app.http('hello'");
  });
});

describe('func settings', () => {
  const read = async (): Promise<unknown> => JSON.parse(await folder.read('local.settings.json'));
  const file = { IsEncrypted: false, Values: { FUNCTIONS_WORKER_RUNTIME: 'node' }, Host: { LocalHttpPort: 7072 } };

  it('adds, changes and removes settings, and leaves the rest of the file alone', async () => {
    await folder.write({ 'local.settings.json': file });
    expect(await run('settings', 'add', 'Greeting', 'hello there')).toMatchObject({ exitCode: 0, err: '' });
    await run('settings', 'add', 'Db', 'Server=x', '--connectionString');
    expect(await read()).toEqual({
      ...file,
      Values: { ...file.Values, Greeting: 'hello there' },
      ConnectionStrings: { Db: 'Server=x' },
    });
    await run('settings', 'delete', 'Greeting');
    await run('settings', 'remove', 'Db', '--connectionString');
    expect(await read()).toEqual({ ...file, ConnectionStrings: {} });
  });

  it('lists names, and values when asked to', async () => {
    await folder.write({ 'local.settings.json': file });
    const { out } = await runLine('settings list');
    expect(out).toBe('App Settings:\n  FUNCTIONS_WORKER_RUNTIME = ***\nConnection Strings:\n');
    expect((await runLine('settings list --showValue')).out).toContain('FUNCTIONS_WORKER_RUNTIME = node\n');
  });

  it.each([
    ['{"IsEncrypted": true}', 'its values are encrypted'],
    ['{"Values": {} /* mine */}', 'it holds comments, which would be lost'],
    ['[]', 'it holds no JSON object'],
  ])('leaves %s alone', async (text, reason) => {
    await folder.write({ 'local.settings.json': text });
    expect(await runLine('settings add A b')).toMatchObject({ exitCode: 2, err: expect.stringContaining(reason) });
    expect(await folder.read('local.settings.json')).toBe(text);
  });
});
