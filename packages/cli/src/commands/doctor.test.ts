import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSwitchyard } from '../run-switchyard.ts';
import { runInMemory } from '../testing/run-in-memory.ts';
import { doctorCommand } from './doctor.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-doctor-'));
  await writeFile(join(folder, 'local.settings.json'), '{"Values":{"FUNCTIONS_WORKER_RUNTIME":"node"}}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (words: readonly string[]) =>
  runInMemory((given, context) => runSwitchyard(given, [doctorCommand], context), words);

const host = (content: object): Promise<void> => writeFile(join(folder, 'host.json'), JSON.stringify(content));

describe('switchyard doctor', () => {
  it('is content with an app that works', async () => {
    await host({ version: '2.0' });
    const { exitCode, out } = await run(['doctor', folder]);
    expect([exitCode, out]).toEqual([0, 'Nothing stands in the way of this app.\n']);
  });

  it('fails on errors, and on warnings when it is told to be strict', async () => {
    await host({ version: '2.0', nobody: 1 });
    const lenient = await run(['doctor', folder]);
    expect([lenient.exitCode, lenient.out]).toEqual([0, expect.stringContaining('Warning: host.json [host-json]')]);
    expect(lenient.out).toContain('0 errors, 1 warning, 0 notes.');
    expect((await run(['doctor', folder, '--strict'])).exitCode).toBe(1);
    await writeFile(join(folder, 'proxies.json'), '{}');
    expect((await run(['doctor', folder])).exitCode).toBe(1);
  });

  it('writes JSON lines for scripts', async () => {
    await host({ version: '2.0', nobody: 1 });
    const { out } = await run(['doctor', folder, '--json']);
    expect(JSON.parse(out)).toMatchObject({ severity: 'warning', code: 'host-json', subject: 'host.json' });
  });

  it('wants the folder of an app', async () => {
    const { exitCode, err } = await run(['doctor', join(folder, 'none')]);
    expect([exitCode, err]).toEqual([2, expect.stringContaining('does not exist')]);
  });
});
