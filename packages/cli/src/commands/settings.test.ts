import { createDeferred } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { runCommandLine, startCommand } from '../testing/run-control.ts';
import { answer, openScriptedControl, problem, type ScriptedControl } from '../testing/scripted-control.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';

let folder: TestFolder;
let server: ScriptedControl;
beforeEach(async () => {
  folder = await openTestFolder();
  server = await openScriptedControl({
    getSettings: ({ query }) =>
      answer({
        revision: 4,
        settings: [
          { name: 'LogLevel', value: query.reveal === undefined ? '***' : 'debug' },
          { name: 'Password', value: query.reveal === undefined ? '***' : 'hunter2' },
        ],
      }),
    patchSettings: () => answer({ revision: 5, settings: [{ name: 'LogLevel', value: '***' }] }),
  });
});
afterEach(async () => {
  await server.close();
  await folder.remove();
});

const settings = (words: readonly string[], overrides: Partial<CommandContext> = {}) =>
  runCommandLine(['settings', 'shop', ...words], {
    environment: server.environment,
    workingDirectory: folder.path,
    ...overrides,
  });

const typed = async function* (text: string) {
  yield text;
};

describe('switchyard settings', () => {
  it('lists masked values, and reveals them when it is told to', async () => {
    expect(await settings([])).toEqual({
      exitCode: 0,
      out: 'NAME      VALUE\nLogLevel  ***\nPassword  ***\n',
      err: '',
    });
    expect((await settings(['list', '--reveal'])).out).toContain('Password  hunter2\n');
    expect(server.requests.map(({ query }) => query)).toEqual([{}, { reveal: '' }]);
    expect(JSON.parse((await settings(['list', '--json'])).out)).toMatchObject({ revision: 4 });
  });

  it('sets values from the command line, files and stdin, and shows none', async () => {
    await folder.write({ 'secret.txt': 'from file\r\n' });
    const words = ['A=b=c', 'Empty=', 'File=@secret.txt', 'Pipe=@-', 'Vault=@@Microsoft.KeyVault(x)'];
    const outcome = await settings(['set', ...words], { stdin: typed('from stdin\n') });
    expect(outcome).toEqual({ exitCode: 0, out: "Set 5 settings of app 'shop'.\n", err: '' });
    expect(server.requests[0]?.body).toEqual({
      set: { A: 'b=c', Empty: '', File: 'from file', Pipe: 'from stdin', Vault: '@Microsoft.KeyVault(x)' },
    });
  });

  it('removes', async () => {
    expect((await settings(['unset', 'LogLevel'])).out).toBe("Removed 1 setting of app 'shop'.\n");
    expect(server.requests[0]?.body).toEqual({ remove: ['LogLevel'] });
    expect(JSON.parse((await settings(['unset', 'LogLevel', '--json'])).out)).toMatchObject({ revision: 5 });
  });

  it.each([
    [['lst'], "There is no action 'lst'. Did you mean 'list'? Choose one of: list, set, unset."],
    [['list', 'more'], "'more' is too much: switchyard settings <app> list."],
    [['set'], 'NAME=VALUE is missing: switchyard settings <app> set NAME=VALUE ...'],
    [['unset'], 'NAME is missing'],
    [['set', 'Name'], "'Name' cannot be set: it has no value."],
    [['set', 'a b=c'], "'a b' cannot be set: must start with a letter"],
    [['set', '__proto__=c'], "'__proto__' cannot be set: must start"],
    [['unset', '__proto__'], "'__proto__' cannot be set: must start"],
    [['set', 'A=1', 'A=2'], "'A' cannot be set: it is given twice."],
    [['set', `A=${'x'.repeat(70_000)}`], "'A' cannot be set: "],
    [['set', 'A=@missing'], "or begin with '@@' for a text that begins with '@'"],
  ])('refuses %j', async (words, message) => {
    const { exitCode, err } = await settings(words);
    expect([2, 3]).toContain(exitCode);
    expect(err).toContain(message);
    expect(server.requests).toEqual([]);
  });

  it('does not show a value whose name was forgotten', async () => {
    expect((await settings(['set', 'p@ss word'])).err).toContain("'***' cannot be set: it has no value.");
  });

  it('stops at Ctrl-C while it waits for stdin', async () => {
    const reading = createDeferred<void>();
    const next = () => {
      reading.resolve();
      return new Promise<never>(() => {});
    };
    const endless = { [Symbol.asyncIterator]: () => ({ next }) };
    const words = ['settings', 'shop', 'set', 'A=@-'];
    const command = startCommand(words, { environment: server.environment, stdin: endless });
    await reading.promise;
    command.stop();
    expect(await command.outcome).toMatchObject({ exitCode: 130 });
  });

  it('reports what the platform complains of', async () => {
    await server.close();
    server = await openScriptedControl({
      getSettings: () => problem(403, 'SCOPE_MISSING', 'The token may not see values.', 'Leave --reveal out.'),
    });
    expect(await settings(['--reveal'])).toEqual({
      exitCode: 1,
      out: '',
      err: 'The token may not see values. Leave --reveal out.\n',
    });
  });
});
