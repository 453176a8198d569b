import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '@switchyard/kernel';
import { createWrapperClient } from '@switchyard/sidecar';
import { isProcessAlive } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runWrapper, type WrapperOptions } from './run-wrapper.ts';
import { createUnixTransport } from './unix-transport.ts';

let folder: string;
const stops: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-wrapper-'));
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Prints its number and its words, and lives. */
const lives = "console.log('up', process.pid, process.argv.slice(1).join(' ')); setInterval(() => {}, 1000);";
/** The same, and SIGTERM does not end it. */
const stubborn = `process.on('SIGTERM', () => {}); ${lives}`;

/** Lines of a stream, and the wait for one of them. */
class Lines {
  readonly all: string[] = [];
  #wake: () => void = () => {};

  write(text: string): void {
    this.all.push(...text.trimEnd().split('\n'));
    this.#wake();
  }

  /** Resolves with the line of number `index` that begins with `start`. */
  async nth(start: string, index = 0): Promise<string> {
    for (;;) {
      const found = this.all.filter((line) => line.startsWith(start))[index];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async pid(index = 0): Promise<number> {
    return Number((await this.nth('up ', index)).split(' ')[1]);
  }
}

function run(command: readonly string[], options: Partial<WrapperOptions> = {}) {
  const stdout = new Lines();
  const stderr = new Lines();
  let stop = (): void => {};
  const ended = runWrapper({
    command,
    workerPath: undefined,
    directory: folder,
    environment: { PATH: process.env.PATH },
    passes: [],
    socketPath: undefined,
    onCrash: 'exit',
    graceMs: 10_000,
    stdout,
    stderr,
    log: silentLog,
    onStopRequest: (callback) => {
      stop = callback;
    },
    ...options,
  });
  stops.push(() => stop());
  return { stdout, stderr, ended, stop: () => stop() };
}

const node = (script: string, ...words: string[]): string[] => [process.execPath, '--eval', script, '--', ...words];

const clientOf = (path: string) => createWrapperClient({ clock: systemClock, transport: createUnixTransport(path) });

describe.skipIf(process.platform === 'win32')('runWrapper', () => {
  it('relays the lines of its worker, each to its stream, and ends with its exit code', async () => {
    const { stdout, stderr, ended } = run(
      node("console.log('out'); console.error('err'); process.stdout.write('no end'); process.exitCode = 7;"),
    );
    expect(await ended).toBe(7);
    expect(stdout.all).toEqual(['out', 'no end']);
    expect(stderr.all).toEqual(['err']);
  });

  it('passes a request to stop on, and ends as the worker does', async () => {
    const graceful = run(node(`process.on('SIGTERM', () => process.exit(5)); ${lives}`));
    await graceful.stdout.nth('up');
    graceful.stop();
    expect(await graceful.ended).toBe(5);
    const plain = run(node(lives));
    await plain.stdout.nth('up');
    plain.stop();
    expect(await plain.ended).toBe(128 + 15);
  });

  it('kills a worker that does not end in time', async () => {
    const { stdout, ended, stop } = run(node(stubborn), { graceMs: 50 });
    const pid = await stdout.pid();
    stop();
    expect(await ended).toBe(128 + 9);
    expect(isProcessAlive(pid)).toBe(false);
  });

  it('names a program that is not there, and leaves no socket', async () => {
    const socketPath = join(folder, 'worker.sock');
    await expect(run(['no-such-program'], { socketPath }).ended).rejects.toMatchObject({
      code: 'WRAPPER_COMMAND_FAILED',
      message: expect.stringContaining("'no-such-program' could not be started: there is no such program"),
    });
    expect(existsSync(socketPath)).toBe(false);
  });

  it('starts no worker when its socket cannot be opened', async () => {
    const socketPath = join(folder, 'missing', 'worker.sock');
    const { stdout, ended } = run(node(lives), { socketPath });
    await expect(ended).rejects.toMatchObject({ code: 'WRAPPER_SOCKET_UNUSABLE' });
    expect(stdout.all).toEqual([]);
  });

  it('starts the worker anew over its socket, with other words', async () => {
    const socketPath = join(folder, 'worker.sock');
    const { stdout, ended } = run(node(lives, 'one'), { socketPath });
    const first = await stdout.pid();
    const client = clientOf(socketPath);
    const status = await client.status();
    expect(status).toMatchObject({ state: 'running', pid: first, launch: { executable: process.execPath } });
    const words = status?.launch.arguments ?? [];
    expect(await client.restart('test', { arguments: [...words.slice(0, -1), 'two'] })).toEqual({ kind: 'accepted' });
    const second = await stdout.pid(1);
    expect(await stdout.nth('up', 1)).toMatch(/ two$/);
    expect(isProcessAlive(first)).toBe(false);
    expect(second).not.toBe(first);
    expect(await client.shutdown(10_000)).toBe(true);
    expect(await ended).toBe(128 + 15);
    expect(existsSync(socketPath)).toBe(false);
  });

  it('answers that a restart is under way, and keeps to one worker', async () => {
    const socketPath = join(folder, 'worker.sock');
    const { stdout, ended } = run(node(stubborn), { socketPath });
    const first = await stdout.pid();
    const client = clientOf(socketPath);
    expect(await client.restart('one')).toEqual({ kind: 'accepted' });
    expect(await client.restart('two')).toEqual({ kind: 'in-progress' });
    process.kill(first, 'SIGKILL');
    const second = await stdout.pid(1);
    expect(isProcessAlive(first)).toBe(false);
    expect((await client.status())?.starts).toBe(2);
    await client.shutdown(0);
    await ended;
    expect(isProcessAlive(second)).toBe(false);
  });

  it('starts a failed worker again where that is wanted', async () => {
    const socketPath = join(folder, 'worker.sock');
    const { stdout, ended } = run(node(lives), { socketPath, onCrash: 'restart' });
    process.kill(await stdout.pid(), 'SIGKILL');
    expect(isProcessAlive(await stdout.pid(1))).toBe(true);
    await clientOf(socketPath).shutdown();
    await ended;
  });

  it.skipIf(process.platform !== 'linux')('shows no secret in the process of its worker', async () => {
    const environment = {
      PATH: process.env.PATH,
      AzureWebJobsStorage: 'AccountKey=hunter2',
      WORKER_AUTH_TOKEN: 'hunter2',
    };
    const { stdout, ended, stop } = run(node(lives), { environment });
    const pid = await stdout.pid();
    const block = readFileSync(`/proc/${pid}/environ`, 'latin1');
    expect(block).toContain('PATH=');
    expect(block).not.toContain('hunter2');
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain('hunter2');
    stop();
    await ended;
  });

  it('leaves no worker behind when it is killed', async () => {
    const wrapper = startWrapperProcess(node(stubborn));
    const [chunk] = (await once(wrapper.stdout, 'data')) as [Uint8Array];
    const pid = Number(Buffer.from(chunk).toString().split(' ')[1]);
    expect(isProcessAlive(pid)).toBe(true);
    wrapper.kill('SIGKILL');
    await expect.poll(() => isProcessAlive(pid), { timeout: 30_000 }).toBe(false);
  });
});

/** A wrapper in a process of its own, from the sources. */
function startWrapperProcess(command: readonly string[]) {
  const program = `const { runWrapper } = await import(${JSON.stringify(new URL('./run-wrapper.ts', import.meta.url).href)});
    const { silentLog } = await import('@switchyard/kernel');
    await runWrapper({ command: ${JSON.stringify(command)}, workerPath: undefined, directory: '.', passes: [],
      environment: process.env, socketPath: undefined, onCrash: 'exit', graceMs: 10_000, stdout: process.stdout,
      stderr: process.stderr, log: silentLog, onStopRequest: () => {} });`;
  const flags = ['--conditions=switchyard-source', '--input-type=module', '--eval', program];
  const wrapper = spawn(process.execPath, flags, {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stops.push(() => wrapper.kill('SIGKILL'));
  return wrapper;
}
