import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, test } from 'vitest';
import { createNodeProcesses } from './node-processes.ts';

const processes = createNodeProcesses(spawn);
const launch = { executable: execPath, arguments: ['-e', 'process.exit(7)'], directory: tmpdir(), environment: {} };

test('an exit code is told', async () => {
  expect(await processes.start(launch).exited).toEqual({ kind: 'exited', exitCode: 7, signal: null });
});

test('a process has the environment and folder that it is given, and no other', async () => {
  const script =
    'process.exit(process.env.ONLY === "this" && process.env.PATH === undefined && process.cwd() === process.argv[1] ? 0 : 1)';
  const directory = await mkdtemp(join(tmpdir(), 'handler-'));
  const given = { ...launch, arguments: ['-e', script, directory], directory, environment: { ONLY: 'this' } };
  expect(await processes.start(given).exited).toMatchObject({ exitCode: 0 });
  await rm(directory, { recursive: true });
});

test('a signal ends it, and is harmless afterwards', async () => {
  const running = processes.start({
    ...launch,
    arguments: ['-e', 'process.stdin.resume(); setInterval(() => {}, 1e6)'],
  });
  running.kill('SIGTERM');
  expect(await running.exited).toMatchObject({ kind: 'exited', signal: 'SIGTERM' });
  running.kill('SIGKILL');
});

test('a program that cannot be started says why', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'handler-'));
  const plain = join(directory, 'plain.sh');
  await writeFile(plain, '#!/bin/sh\n', { mode: 0o600 });
  const reasons = [
    { ...launch, executable: 'no-such-program-anywhere' },
    { ...launch, directory: join(directory, 'missing') },
    { ...launch, executable: plain },
    { ...launch, arguments: ['a\0b'] },
  ].map((one) => processes.start(one).exited);
  expect(await Promise.all(reasons)).toEqual([
    { kind: 'not-started', reason: 'there is no such program' },
    { kind: 'not-started', reason: expect.stringContaining('its working directory') },
    { kind: 'not-started', reason: `it may not be executed (chmod +x ${plain})` },
    { kind: 'not-started', reason: expect.stringContaining('null bytes') },
  ]);
  await rm(directory, { recursive: true });
});
