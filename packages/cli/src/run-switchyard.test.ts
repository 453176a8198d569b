import { defineErrors } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { type Command, defineCommand } from './command.ts';
import { createHelpCommand } from './commands/help.ts';
import { versionCommand } from './commands/version.ts';
import { exitCodes } from './exit-codes.ts';
import { commandHelp } from './help-text.ts';
import { runSwitchyard } from './run-switchyard.ts';

const errors = defineErrors({
  PORT_IN_USE: { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 4, message: 'Port {port} is in use.' },
});

const workCommand = defineCommand({
  name: 'work',
  summary: 'Does some work.',
  positional: { name: 'path', summary: 'where to work', maximum: 9 },
  flags: {
    fail: { kind: 'text', placeholder: 'HOW', short: 'f', summary: 'fails' },
    secret: { kind: 'switch', hidden: true, summary: 'not for everybody' },
  },
  examples: ['switchyard work here'],
  async run({ flags, positionals }, { stdout }) {
    if (flags.fail === 'expected') throw errors.create('PORT_IN_USE', { port: 80 });
    if (flags.fail === 'defect') throw new TypeError('broken');
    stdout.write(`worked on ${positionals.join()}`);
    return 0;
  },
});

const commands: readonly Command[] = [workCommand, versionCommand, createHelpCommand(() => commands)];

async function run(line: string): Promise<{ exitCode: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runSwitchyard(line === '' ? [] : line.split(' '), commands, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    environment: {},
    workingDirectory: '/',
    onStopRequest: () => {},
  });
  return { exitCode, out: out.join(''), err: err.join('') };
}

describe('runSwitchyard', () => {
  it('runs a command with its arguments', async () => {
    expect(await run('work a b')).toEqual({ exitCode: 0, out: 'worked on a,b', err: '' });
  });

  it.each(['', 'help', '--help', '-h'])('shows the help for %j', async (line) => {
    const { exitCode, out, err } = await run(line);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    for (const command of commands) expect(out).toContain(`${command.name}  `);
    for (const { code, meaning } of Object.values(exitCodes))
      expect(out).toMatch(new RegExp(`${code} +${meaning.slice(0, 10)}`));
  });

  it.each(['work --help', 'help work', 'work -h'])('shows the help of a command for %j', async (line) => {
    const { exitCode, out } = await run(line);
    expect(exitCode).toBe(0);
    expect(out).toBe(
      [
        'Does some work.',
        '',
        'Usage: switchyard work [path ...] [flags]',
        '',
        'Path:',
        '  path  where to work',
        '',
        'Flags:',
        '  -f, --fail HOW  fails',
        '  -h, --help      shows this',
        '',
        'Examples:',
        '  switchyard work here',
        '',
      ].join('\n'),
    );
  });

  it('shows flags before what belongs to another program', async () => {
    const usageOf = (usage: string): string | undefined => {
      const positional = { name: 'command', usage, summary: '', maximum: 9 };
      const flags = { fail: { kind: 'switch', summary: '' } } as const;
      const command = defineCommand({ name: 'work', summary: '', positional, flags, examples: [], run: async () => 0 });
      return /^Usage: (.*)$/m.exec(commandHelp(command))?.[1];
    };
    expect(usageOf('-- <program> <words>')).toBe('switchyard work [flags] -- <program> <words>');
    expect(usageOf('<action> [-- <command>]')).toBe('switchyard work <action> [flags] [-- <command>]');
  });

  it.each(['version', '--version', '-v'])('shows the version for %j', async (line) => {
    expect((await run(line)).out).toMatch(/^switchyard \d+\.\d+\.\d+ \(Node\.js \d+/);
  });

  it.each([
    ['wrok', "There is no command 'wrok'. Did you mean 'work'? 'switchyard help' lists all.\n"],
    ['help wrok', "There is no command 'wrok'. Did you mean 'work'? 'switchyard help' lists all.\n"],
    ['constructor', "There is no command 'constructor'. 'switchyard help' lists all.\n"],
    ['--fail work', "There is no flag '--fail' before a command. 'switchyard help' lists all commands.\n"],
    ['work --fial x', "There is no flag '--fial'. Did you mean --fail? 'switchyard work --help' lists all.\n"],
  ])('complains about %j and exits with 2', async (line, err) => {
    expect(await run(line)).toEqual({ exitCode: 2, out: '', err });
  });

  it('shows an error of the platform and exits with its code', async () => {
    expect(await run('work --fail expected')).toEqual({ exitCode: 4, out: '', err: 'Port 80 is in use.\n' });
  });

  it('lets a defect through', async () => {
    await expect(run('work --fail defect')).rejects.toThrow('broken');
  });
});
