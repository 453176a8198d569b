import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { parseFuncArguments } from './parse-func-arguments.ts';
import { startOptions, startVerb } from './start.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const sink = { write: () => {} };

async function optionsOf(line: string, environment: Record<string, string> = {}) {
  const parsed = parseFuncArguments('start', startVerb.flags, line === '' ? [] : line.split(' '));
  if (parsed.kind !== 'parsed') throw new Error(JSON.stringify(parsed));
  const context: CommandContext = {
    stdout: sink,
    stderr: sink,
    environment,
    workingDirectory: folder.path,
    onStopRequest: () => {},
  };
  return startOptions(parsed, context);
}

describe('startOptions', () => {
  it('runs the app of the folder with the face of the official tools', async () => {
    expect(await optionsOf('')).toMatchObject({
      directories: [folder.path],
      workingDirectory: folder.path,
      face: 'core-tools',
      port: undefined,
      verbose: false,
      enableAuth: false,
      output: 'text',
      cors: { origins: undefined, credentials: undefined },
      environment: { FUNCTIONS_CORETOOLS_ENVIRONMENT: 'True' },
    });
  });

  it.each(['--script-root', '--prefix'])('works in the folder that %s names', async (flag) => {
    const directory = join(folder.path, 'api');
    expect(await optionsOf(`${flag} api`)).toMatchObject({ directories: [directory], workingDirectory: directory });
  });

  it('obeys the flags that mean something here', async () => {
    const line = '-p 7080 --verbose --enableAuth --cors https://a.example/,https://b.example, --cors-credentials';
    expect(await optionsOf(line)).toMatchObject({
      port: 7080,
      verbose: true,
      enableAuth: true,
      cors: { origins: ['https://a.example', 'https://b.example'], credentials: true },
    });
  });

  it('takes what is configured for dev, below its own flags', async () => {
    await folder.write({ 'switchyard.yaml': 'port: 1\nverbose: true\napps: [other]\n' });
    const options = await optionsOf('--verbose false', { SWITCHYARD_HOST: '0.0.0.0' });
    expect(options).toMatchObject({ port: 1, host: '0.0.0.0', verbose: false, directories: [folder.path] });
  });

  it('turns flags into settings of the app', async () => {
    const line = '--functions one two --language-worker --inspect=9229 --user-log-level debug --typescript';
    const { environment } = await optionsOf(line, { languageWorkers__python__arguments: '-u', KEPT: 'yes' });
    expect(environment).toMatchObject({
      AzureFunctionsJobHost__functions__0: 'one',
      AzureFunctionsJobHost__functions__1: 'two',
      languageWorkers__node__arguments: '--inspect=9229',
      languageWorkers__python__arguments: '-u',
      AzureFunctionsJobHost__logging__logLevel__Function: 'Debug',
      FUNCTIONS_WORKER_RUNTIME: 'node',
      KEPT: 'yes',
    });
  });

  it.each([
    ['--port high', "--port must be a whole number from 0 to 65535, not 'high'."],
    ['--user-log-level loud', "There is no log level 'loud'. Choose one of: Trace, Debug,"],
  ])('refuses %j', async (line, message) => {
    await expect(optionsOf(line)).rejects.toThrow(message);
  });
});
