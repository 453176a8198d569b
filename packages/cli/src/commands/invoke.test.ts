import type { InvokeAnswer } from '@switchyard/protocol/control-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { runCommandLine } from '../testing/run-control.ts';
import { answer, openScriptedControl, problem, type ScriptedControl } from '../testing/scripted-control.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';

let folder: TestFolder;
let server: ScriptedControl | undefined;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await folder.remove();
});

const good: InvokeAnswer = {
  status: 200,
  headers: { 'content-type': 'text/plain' },
  body: 'Hello',
  encoding: 'utf8',
  durationMs: 12.3,
};

async function invoke(
  words: readonly string[],
  given: Partial<InvokeAnswer> = {},
  overrides: Partial<CommandContext> = {},
) {
  await server?.close();
  server = await openScriptedControl({ invokeFunction: () => answer({ ...good, ...given }) });
  const context = { environment: server.environment, workingDirectory: folder.path, ...overrides };
  return runCommandLine(['invoke', 'shop', 'hello', ...words], context);
}

const body = () => server?.requests[0]?.body;

describe('switchyard invoke', () => {
  it('prints the answer as it came, and how it went beside it', async () => {
    expect(await invoke([])).toEqual({ exitCode: 0, out: 'Hello', err: '200 OK in 12 ms\n' });
    expect(server?.requests).toMatchObject([{ parameters: { app: 'shop', name: 'hello' }, body: {} }]);
  });

  it('ends the line at a terminal', async () => {
    expect((await invoke([], {}, { stdout: { write: () => {}, isTTY: true } })).out).toBe('Hello\n');
  });

  it('sends what its flags say', async () => {
    const flags = [
      '-X',
      'put',
      '--path',
      '/api/hello?x=1',
      '-H',
      'X-One: 1',
      '--header',
      'accept: a/b:c',
      '-d',
      'text',
    ];
    await invoke([...flags, '-H', 'x-one: 2']);
    expect(body()).toEqual({
      method: 'PUT',
      path: '/api/hello?x=1',
      headers: { 'x-one': '1, 2', accept: 'a/b:c' },
      input: 'text',
      encoding: 'utf8',
    });
  });

  it('takes its data from files and from stdin', async () => {
    await folder.write({ 'order.json': '{"id": 7}' });
    await invoke(['--data', '@order.json']);
    expect(body()).toEqual({ input: '{"id": 7}', encoding: 'utf8' });
    await server?.close();
    const stdin = (async function* () {
      yield Buffer.from([0xff]);
      yield Buffer.from([0x00]);
    })();
    await invoke(['--data', '@-'], {}, { stdin });
    expect(body()).toEqual({ input: '/wA=', encoding: 'base64' });
    await invoke(['--data', '@@me']);
    expect(body()).toEqual({ input: '@me', encoding: 'utf8' });
  });

  it('fails when the function does', async () => {
    expect(await invoke([], { status: 500, body: 'oops' })).toEqual({
      exitCode: 1,
      out: 'oops',
      err: '500 Internal Server Error in 12 ms\n',
    });
    expect((await invoke([], { status: 404 })).exitCode).toBe(1);
    expect((await invoke([], { status: 202, body: '' })).exitCode).toBe(0);
  });

  it('shows headers, writes JSON, and writes files', async () => {
    expect((await invoke(['-i'])).out).toBe('200 OK\ncontent-type: text/plain\n\nHello');
    expect(JSON.parse((await invoke(['--json'])).out)).toEqual(good);
    const bytes = { body: Buffer.from([1, 2, 0xff]).toString('base64'), encoding: 'base64' } as const;
    expect((await invoke(['-o', 'out.bin'], bytes)).out).toBe('');
    expect(Buffer.from(await folder.read('out.bin'), 'latin1')[0]).toBe(1);
  });

  it('does not throw bytes at a terminal', async () => {
    const bytes = { body: '/wA=', encoding: 'base64', headers: { 'content-type': 'image/png' } } as const;
    const { exitCode, out, err } = await invoke([], bytes);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain(
      'The answer is 2 bytes that are no text (image/png). Write them to a file with --output FILE.',
    );
  });

  it.each([
    [['--header', 'no colon'], "'no colon' is no header."],
    [['--header', 'a b: c'], "'a b' is no header."],
    [['--header', '__proto__: c'], "'__proto__' is no header."],
    [['--path', 'api'], '--path: must start with "/"'],
    [['--method', 'G T'], '--method: must be an HTTP method'],
    [['--data', '@missing.json'], "missing.json' cannot be read: ENOENT"],
    [['one', 'more'], "'one' is too much: switchyard invoke <app> <function>."],
    [['--output', 'no/such/folder'], "no/such/folder' cannot be written: ENOENT"],
  ])('refuses %j', async (words, message) => {
    const { exitCode, err } = await invoke(words);
    expect([2, 3]).toContain(exitCode);
    expect(err).toContain(message);
  });

  it('wants a function', async () => {
    const missing = await runCommandLine(['invoke', 'shop']);
    expect(missing).toMatchObject({ exitCode: 2, err: expect.stringContaining('The function is missing: switchyard') });
    const odd = await runCommandLine(['invoke', 'shop', '../x']);
    expect(odd).toMatchObject({ exitCode: 2, err: expect.stringContaining("'../x' is no name of a function") });
  });

  it('reports what the platform complains of', async () => {
    server = await openScriptedControl({
      invokeFunction: () => problem(404, 'FUNCTION_UNKNOWN', "App 'shop' has no function 'hello'.", 'It has: greet.'),
    });
    const { exitCode, err } = await runCommandLine(['invoke', 'shop', 'hello'], { environment: server.environment });
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: "App 'shop' has no function 'hello'. It has: greet.\n" });
  });
});
