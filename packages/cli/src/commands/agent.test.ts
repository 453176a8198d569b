import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { runSwitchyard } from '../run-switchyard.ts';
import { type CommandOutcome, runInMemory } from '../testing/run-in-memory.ts';
import { agentCommand } from './agent.ts';

describe('switchyard agent', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-agent-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (words: readonly string[], overrides: Partial<CommandContext> = {}): Promise<CommandOutcome> =>
    runInMemory((given, context) => runSwitchyard(given, [agentCommand], context), ['agent', ...words], {
      workingDirectory: folder,
      ...overrides,
    });

  it('shows its settings with their sources', async () => {
    writeFileSync(join(folder, 'worker.yaml'), 'max_queued_jobs: 7\n');
    const { exitCode, out } = await run(
      ['--config', 'worker.yaml', '--port', '9009', '--store', 'jobs.db', '--print-config'],
      { environment: { SWITCHYARD_AGENT_FAIRNESS: 'master' } },
    );
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^max_queued_jobs +7 .*worker\.yaml$/m);
    expect(out).toMatch(/^fairness +"master" +SWITCHYARD_AGENT_FAIRNESS$/m);
    expect(out).toMatch(/^listen\.port +9009 +--port$/m);
    expect(out).toMatch(/^store\.path +".*jobs\.db" +--store$/m);
  });

  it('listens, says where, and ends when it is asked to', async () => {
    const environment = { SWITCHYARD_AGENT_DRIVER: 'mock' };
    let stop: (reason: string) => void = () => {};
    let listening: (url: string) => void = () => {};
    const url = new Promise<string>((resolve) => {
      listening = resolve;
    });
    const lines: string[] = [];
    const outcome = run(['--port', '0', '--json', '--worker-id', 'cli-test'], {
      environment,
      onStopRequest: (callback) => {
        stop = callback;
      },
      stdout: {
        write(text) {
          lines.push(text);
          if (text.includes('Listening')) listening(JSON.parse(text).url);
        },
      },
    });
    const info = await (await fetch(`${await url}/info`, { headers: { host: '127.0.0.1' } })).json();
    expect(info).toMatchObject({ worker_id: 'cli-test', driver: { name: 'mock' } });
    stop('SIGINT');
    expect(await outcome).toMatchObject({ exitCode: 0 });
    expect(lines.join('')).toContain('"message":"Stopping"');
    await expect(fetch(`${await url}/info`)).rejects.toThrow();
  });

  it.each([
    [['--config', 'missing.yaml'], 2, "'", 'cannot be read'],
    [['--jobs', '0'], 2, '--jobs', '1'],
    [['--worker-id', 'a b'], 2, 'worker_id (--worker-id)', 'letters'],
    [['--worker-id', 'x', '--store', 'no/such/folder/jobs.db'], 3, 'the job store', 'cannot be opened'],
  ])('explains what is wrong with %j', async (words, exitCode, ...messages) => {
    const outcome = await run(['--port', '0', ...words], { environment: { SWITCHYARD_AGENT_DRIVER: 'mock' } });
    expect(outcome).toMatchObject({ exitCode, out: '' });
    for (const message of messages) expect(outcome.err).toContain(message);
  });
});
