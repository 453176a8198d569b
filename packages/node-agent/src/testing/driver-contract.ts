/** The contract of `TaskDriver`, run on the mock and on every engine. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutputStream, StartOutcome, TaskDriver, TaskEvents, TaskSpec } from '../driver/contract.ts';

/** One engine, and how to say things to it. */
export interface DriverBench {
  /** A driver of the same agent; a second one stands for the agent after a restart. */
  openDriver(): TaskDriver;
  /** A specification with nothing but an image that the engine has. */
  spec(taskId: string): Promise<TaskSpec>;
  readonly commands: DriverCommands;
  /** Lets what takes time go on; engines in real time need no help. */
  passTime(delayMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What the tests want to run, in the engine's own words. */
export interface DriverCommands {
  echo(text: string): readonly string[];
  /** Writes to stderr and ends with exit code 1. */
  complain(text: string): readonly string[];
  /** Copies stdin to stdout. */
  readonly cat: readonly string[];
  readonly printEnvironment: readonly string[];
  /** Writes that many bytes to stdout. */
  spam(bytes: number): readonly string[];
  sleep(seconds: number, exitCode: number): readonly string[];
  /** Ignores SIGTERM, for ever. */
  readonly stubborn: readonly string[];
  /** Takes more memory than it gets. */
  readonly eat: readonly string[];
  readonly missing: readonly string[];
}

/** Remembers what a driver told. */
export class RecordedEvents implements TaskEvents {
  readonly calls: string[] = [];
  readonly bytes: Record<OutputStream, number> = { stdout: 0, stderr: 0 };
  readonly #text: Record<OutputStream, string> = { stdout: '', stderr: '' };
  onOutput: () => void = () => {};

  get stdout(): string {
    return this.#text.stdout;
  }

  get stderr(): string {
    return this.#text.stderr;
  }

  output(stream: OutputStream, bytes: Uint8Array): void {
    this.calls.push('output');
    this.bytes[stream] += bytes.byteLength;
    this.#text[stream] = (this.#text[stream] + Buffer.from(bytes).toString()).slice(0, 10_000);
    this.onOutput();
  }

  outputRestarts(): void {
    this.calls.push('outputRestarts');
    this.#text.stdout = '';
    this.#text.stderr = '';
  }

  launching(): void {
    this.calls.push('launching');
  }

  image(image: { readonly id: string }): void {
    this.calls.push(`image ${image.id.slice(0, 7)}`);
  }

  health(health: string): void {
    this.calls.push(`health ${health}`);
  }
}

const never = new AbortController().signal;

/** Declares the tests of one engine. */
export function describeDriverContract(name: string, open: () => Promise<DriverBench>): void {
  describe(`${name} keeps the TaskDriver contract`, () => {
    let bench: DriverBench;
    let driver: TaskDriver;
    let events: RecordedEvents;
    beforeEach(async () => {
      bench = await open();
      driver = bench.openDriver();
      events = new RecordedEvents();
    });
    afterEach(async () => {
      driver.close();
      await bench.close();
    });
    const start = async (taskId: string, overrides: Partial<TaskSpec>): Promise<StartOutcome> =>
      driver.start({ ...(await bench.spec(taskId)), ...overrides }, events, never);
    const subject = { bench: () => bench, driver: () => driver, events: () => events, start };
    describeRuns(subject);
    describeStops(subject);
    describeRecovery(subject);
  });
}

interface Subject {
  bench(): DriverBench;
  driver(): TaskDriver;
  events(): RecordedEvents;
  start(taskId: string, overrides: Partial<TaskSpec>): Promise<StartOutcome>;
}

function describeRuns({ bench, driver, events, start }: Subject): void {
  it('says what it is', async () => {
    expect(await driver().fingerprint(never)).toMatchObject({ available: true, reason: null });
    expect(driver().name).not.toBe('');
  });

  it('runs a program, and delivers all of its output before the exit code', async () => {
    expect(await start('run', { cmd: bench().commands.echo('hello') })).toMatchObject({ kind: 'started' });
    expect(await driver().wait('run', never)).toMatchObject({ kind: 'exited', exitCode: 0, outOfMemory: false });
    expect(events().stdout).toBe('hello\n');
    expect(events().stderr).toBe('');
    expect(events().calls).toEqual(expect.arrayContaining(['image sha256:', 'launching', 'output']));
    expect(events().calls.indexOf('launching')).toBeLessThan(events().calls.indexOf('output'));
  });

  it('keeps stdout and stderr apart, and tells the exit code', async () => {
    await start('fails', { cmd: bench().commands.complain('wrong') });
    expect(await driver().wait('fails', never)).toMatchObject({ kind: 'exited', exitCode: 1 });
    expect([events().stdout, events().stderr]).toEqual(['', 'wrong\n']);
  });

  it('gives the program stdin and environment', async () => {
    await start('stdin', { cmd: bench().commands.cat, stdin: '{"a":"ü"}' });
    await driver().wait('stdin', never);
    expect(events().stdout).toBe('{"a":"ü"}');
    await start('env', { cmd: bench().commands.printEnvironment, env: { GREETING: 'hi there' } });
    await driver().wait('env', never);
    expect(events().stdout).toContain('GREETING=hi there\n');
  });

  it('delivers large output whole', async () => {
    await start('spam', { cmd: bench().commands.spam(3_000_000) });
    expect(await driver().wait('spam', never)).toMatchObject({ exitCode: 0 });
    expect(events().bytes.stdout).toBe(3_000_000);
  });

  it('says when a program ran out of memory', async () => {
    await start('eat', { cmd: bench().commands.eat, memoryMb: 16 });
    expect(await driver().wait('eat', never)).toMatchObject({ kind: 'exited', outOfMemory: true });
  });

  it('fails on images and programs that are not there', async () => {
    const source = { kind: 'image', reference: 'docker.io/library/absent:1', pull: 'never' } as const;
    expect(await start('a', { source })).toMatchObject({ kind: 'failed', error: { code: 'IMAGE_UNAVAILABLE' } });
    const missing = await start('b', { cmd: bench().commands.missing });
    expect(missing).toMatchObject({ kind: 'failed', error: { code: 'RUNTIME_ERROR' } });
    expect(missing.kind === 'failed' && missing.error.message).toContain('could not be started');
  });

  it('fails on a Dockerfile that cannot be built', async () => {
    const source = { kind: 'build', build: { dockerfile: 'RUN true\n' }, network: 'none' } as const;
    const outcome = await start('build', { source });
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'BUILD_FAILED' } });
  });
}

function describeStops({ bench, driver, events, start }: Subject): void {
  it('stops a program, and is harmless when there is nothing to stop', async () => {
    await start('long', { cmd: bench().commands.sleep(1_000, 0) });
    const stopped = driver().stop('long', 500);
    await bench().passTime(1_000);
    await stopped;
    expect(await driver().wait('long', never)).toMatchObject({ kind: 'exited', exitCode: expect.any(Number) });
    await driver().stop('long', 10);
    await driver().stop('never-was', 10);
  });

  it('kills a program that ignores SIGTERM after the grace', async () => {
    await start('stubborn', { cmd: bench().commands.stubborn });
    const stopped = driver().stop('stubborn', 1_000);
    await bench().passTime(1_000);
    await stopped;
    expect(await driver().wait('stubborn', never)).toMatchObject({ kind: 'exited', exitCode: 137 });
  });

  it('removes ended and running tasks, and is harmless when there are none', async () => {
    await start('ended', { cmd: bench().commands.echo('x') });
    await driver().wait('ended', never);
    await start('running', { cmd: bench().commands.sleep(1_000, 0) });
    expect([...(await driver().list())].sort()).toEqual(['ended', 'running']);
    for (const taskId of ['ended', 'running', 'running', 'never-was']) await driver().destroy(taskId);
    expect(await driver().list()).toEqual([]);
  });

  it('starts nothing once its signal has aborted', async () => {
    const spec = { ...(await bench().spec('aborted')), cmd: bench().commands.echo('x') };
    const aborted = AbortSignal.abort(new Error('changed my mind'));
    await expect(driver().start(spec, events(), aborted)).rejects.toThrow('changed my mind');
    await driver().destroy('aborted');
    expect(events().calls).not.toContain('launching');
    expect(await driver().list()).toEqual([]);
  });
}

function describeRecovery({ bench, driver, events, start }: Subject): void {
  it('lets a wait end without the task, which another driver takes over with all of its output', async () => {
    const written = new Promise<void>((resolve) => {
      events().onOutput = resolve;
    });
    const spec = { ...(await bench().spec('taken')), cmd: bench().commands.echo('before') };
    await start('taken', spec);
    const leave = new AbortController();
    await written;
    const left = driver().wait('taken', leave.signal);
    leave.abort(new Error('the agent stops'));
    await Promise.allSettled([left]);
    driver().close();

    const second = bench().openDriver();
    const again = new RecordedEvents();
    expect(await second.recover(spec, again, never)).toMatchObject({ kind: 'started' });
    expect(await second.wait('taken', never)).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect(again.stdout).toBe('before\n');
    expect(again.calls).not.toContain('launching');
    await second.destroy('taken');
    second.close();
  });

  it('takes over a task that still runs, and can stop it', async () => {
    const spec = { ...(await bench().spec('runs')), cmd: bench().commands.stubborn };
    await start('runs', spec);
    driver().close();
    const second = bench().openDriver();
    expect(await second.recover(spec, new RecordedEvents(), never)).toMatchObject({ kind: 'started' });
    const stopped = second.stop('runs', 0);
    await bench().passTime(0);
    await stopped;
    expect(await second.wait('runs', never)).toMatchObject({ kind: 'exited', exitCode: 137 });
    await second.destroy('runs');
    second.close();
  });

  it('says when there is nothing to take over', async () => {
    const spec = await bench().spec('unknown');
    expect(await driver().recover(spec, events(), never)).toEqual({ kind: 'gone' });
  });
}
