import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { runSwitchyard } from '../run-switchyard.ts';
import { runInMemory } from '../testing/run-in-memory.ts';
import { wrapperCommand } from './wrapper.ts';

const run = (words: readonly string[], overrides: Partial<CommandContext> = {}) =>
  runInMemory((given, context) => runSwitchyard(given, [wrapperCommand], context), ['wrapper', ...words], {
    workingDirectory: tmpdir(),
    environment: { PATH: process.env.PATH },
    ...overrides,
  });

const print = 'console.log(process.argv.slice(1).join(), process.env.A, process.env.B); process.exitCode = 4;';

describe('switchyard wrapper', () => {
  it('runs what stands behind the dashes, and ends with its exit code', async () => {
    const outcome = await run(['--', process.execPath, '--eval', print, '--', '--flag', 'word']);
    expect(outcome).toEqual({ exitCode: 4, out: '--flag,word undefined undefined\n', err: '' });
  });

  it('hands on the variables that it is told to', async () => {
    const environment = { PATH: process.env.PATH, A: '1', B: '2', C: '3' };
    const words = ['--pass', 'A', '--pass', 'B', '--', process.execPath, '--eval', print];
    expect(await run(words, { environment })).toMatchObject({ out: ' 1 2\n' });
  });

  it('ends its worker when it is asked to stop', async () => {
    const words = ['--', process.execPath, '--eval', 'setInterval(() => {}, 1000)'];
    const onStopRequest = (callback: (reason: string) => void): void => callback('SIGTERM');
    expect(await run(words, { onStopRequest })).toMatchObject({ exitCode: 0 });
  });

  it.each([
    [[], 2, 'There is no command to run'],
    [['--worker-path', 'b.js', '--', 'node', 'a.js'], 2, "The command does not hold 'b.js'"],
    [['--on-crash', 'weep', '--', 'node'], 2, "There is no policy 'weep'"],
    [['--grace-seconds', '-1', '--', 'node'], 2, '--grace-seconds'],
    [['--', 'no-such-program'], 127, "'no-such-program' could not be started"],
    [['--socket', 'no/such/folder/s.sock', '--', 'node'], 3, 'No socket can be opened'],
  ])('explains what is wrong with %j', async (words, exitCode, message) => {
    const outcome = await run(words);
    expect(outcome).toMatchObject({ exitCode, out: '' });
    expect(outcome.err).toContain(message);
  });
});
