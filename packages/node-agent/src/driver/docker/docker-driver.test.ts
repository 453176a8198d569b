import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DriverBench, describeDriverContract, RecordedEvents } from '../../testing/driver-contract.ts';
import { sampleSpec } from '../../testing/sample-spec.ts';
import { openTestEngine, requireTestEngine, type TestEngine, testImage } from '../../testing/test-engine.ts';
import { type TaskSpec, workspaceMount } from '../contract.ts';
import { containerName, workerLabel } from './container-settings.ts';
import { DockerDriver } from './docker-driver.ts';

const { skip } = requireTestEngine();
const never = new AbortController().signal;

describe.skipIf(skip)('on a Docker engine', () => {
  let engine: TestEngine;
  let agents = 0;
  beforeAll(async () => {
    engine = await openTestEngine();
  });
  afterAll(() => engine.close());

  const openDriver = (workerId: string): DockerDriver =>
    new DockerDriver(
      { clock: systemClock, random: systemRandom },
      { socketPath: engine.socketPath, workerId, enginePatienceMs: 30_000 },
    );
  const specOf = (taskId: string, overrides: Partial<TaskSpec> = {}): TaskSpec => {
    const workspace = join(engine.folder, 'workspaces', taskId);
    mkdirSync(workspace, { recursive: true });
    return { ...sampleSpec(taskId, testImage, workspace), ...overrides };
  };

  describeDriverContract('DockerDriver', async (): Promise<DriverBench> => {
    agents += 1;
    const workerId = `agent-${agents}`;
    const drivers: DockerDriver[] = [];
    return {
      openDriver() {
        const driver = openDriver(workerId);
        drivers.push(driver);
        return driver;
      },
      spec: async (taskId) => specOf(taskId),
      commands: {
        echo: (text) => ['echo', text],
        complain: (text) => ['sh', '-c', `echo ${text} >&2; exit 1`],
        cat: ['cat'],
        printEnvironment: ['env'],
        spam: (bytes) => ['sh', '-c', `head -c ${bytes} /dev/zero`],
        sleep: (seconds, exitCode) => ['sh', '-c', `sleep ${seconds}; exit ${exitCode}`],
        stubborn: ['sh', '-c', 'trap "" TERM; while true; do sleep 1; done'],
        eat: ['tail', '/dev/zero'],
        missing: ['no-such-program'],
      },
      passTime: async () => {},
      async close() {
        const cleaner = openDriver(workerId);
        for (const taskId of await cleaner.list()) await cleaner.destroy(taskId);
        for (const driver of [cleaner, ...drivers]) driver.close();
      },
    };
  });

  /** Runs a command to its end, and gives its output. */
  const run = async (taskId: string, overrides: Partial<TaskSpec>) => {
    const driver = openDriver('bounds');
    const events = new RecordedEvents();
    const outcome = await driver.start(specOf(taskId, overrides), events, never);
    const exit = outcome.kind === 'started' ? await driver.wait(taskId, never) : undefined;
    await driver.destroy(taskId);
    driver.close();
    return { outcome, exit, stdout: events.stdout, stderr: events.stderr };
  };

  it('gives a task no capabilities, no new privileges, no writable root and no network', async () => {
    const script =
      'cat /proc/self/status; mount | head -1; touch /x; touch /tmp/y && echo temporary; ls /sys/class/net';
    const { stdout, stderr } = await run('bounds', { cmd: ['sh', '-c', script] });
    expect(stdout).toMatch(/CapEff:\t0+\n/);
    expect(stdout).toMatch(/CapBnd:\t0+\n/);
    expect(stdout).toMatch(/NoNewPrivs:\t1\n/);
    expect(stdout).toMatch(/ on \/ type \S+ \(ro,/);
    expect(stdout).toMatch(/temporary\nlo\n$/);
    expect(stderr).toContain('/x: Read-only file system');
  });

  it('bounds how many processes a task has', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 5 & done; echo all';
    const { stdout, stderr } = await run('pids', { cmd: ['sh', '-c', script], pids: 5 });
    expect(stderr).toContain("can't fork");
    expect(stdout).toBe('');
  });

  it('lets a task write its workspace, which the host sees', async () => {
    const { exit } = await run('writes', {
      cmd: ['sh', '-c', `echo result > ${workspaceMount}/out`],
      user: '1234:1234',
    });
    expect(exit).toMatchObject({ exitCode: 1 });
    const { stdout } = await run('reads', { cmd: ['sh', '-c', 'id -u; ls -d /workspace'], user: '1234' });
    expect(stdout).toBe('1234\n/workspace\n');
  });

  it('takes a kill that nobody asked for as one for memory, also when the engine has not heard of it', async () => {
    const { exit } = await run('unheard', { cmd: ['sh', '-c', 'exit 137'] });
    expect(exit).toMatchObject({ kind: 'exited', exitCode: 137, outOfMemory: true });
  });

  it('takes no other kill as one for memory', async () => {
    const driver = openDriver('outside');
    await startAlive(driver, 'outside');
    const exit = driver.wait('outside', never);
    for (const signal of ['CONT', 'KILL']) {
      const path = `/containers/${containerName('outside', 'outside')}/kill`;
      await engine.client.send({ method: 'POST', path, query: { signal } });
    }
    expect(await exit).toMatchObject({ kind: 'exited', exitCode: 137, outOfMemory: false });
    await driver.destroy('outside');
    driver.close();
  });

  it('leaves nothing of a start that was given up, at whatever moment', async () => {
    const driver = openDriver('hasty');
    for (let turns = 0; turns < 24; turns += 1) {
      const giveUp = new AbortController();
      const started = driver.start(specOf('hasty', { cmd: ['sleep', '1000'] }), new RecordedEvents(), giveUp.signal);
      started.catch(() => {});
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      giveUp.abort();
      await started.catch(() => {});
      await driver.destroy('hasty');
      expect(await driver.list()).toEqual([]);
    }
    driver.close();
  });

  it('builds an image from the job itself, and removes it with the task', async () => {
    const dockerfile = `FROM ${testImage}\nARG WORD\nCOPY data/ /data/\nRUN echo $WORD > /word\nCMD ["sh", "-c", "cat /word /data/*"]\n`;
    const long = `data/${'x'.repeat(120)}.txt`;
    const context = { 'data/a.txt': 'A\n', [long]: { base64: Buffer.from('B\n').toString('base64') } };
    const build = { dockerfile, context, args: { WORD: 'built' } };
    const { stdout, exit, outcome } = await run('builds', { source: { kind: 'build', build, network: 'none' } });
    expect({ outcome, exit, stdout }).toMatchObject({ exit: { exitCode: 0 }, stdout: 'built\nA\nB\n' });
    const images = (await engine.client.send({ method: 'GET', path: '/images/json' })) as { RepoTags: string[] }[];
    expect(images.flatMap(({ RepoTags: tags }) => tags ?? []).filter((tag) => tag.startsWith('switchyard'))).toEqual(
      [],
    );
  });

  it('says why a build failed, with the end of its output', async () => {
    const build = { dockerfile: `FROM ${testImage}\nRUN echo before; exit 3\n` };
    const { outcome } = await run('broken', { source: { kind: 'build', build, network: 'none' } });
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'BUILD_FAILED' } });
    expect(outcome.kind === 'failed' && outcome.error.message).toMatch(/code: 3[\s\S]*before/);
  });

  it('I1: sees and removes nothing of another agent', async () => {
    const mine = openDriver('mine');
    const other = openDriver('other');
    await mine.start(specOf('same', { cmd: ['sleep', '1000'] }), new RecordedEvents(), never);
    expect(await other.list()).toEqual([]);
    await other.stop('same', 0);
    await other.destroy('same');
    expect(await other.recover(specOf('same'), new RecordedEvents(), never)).toEqual({ kind: 'gone' });
    expect(await mine.list()).toEqual(['same']);
    await mine.destroy('same');
    for (const driver of [mine, other]) driver.close();
  });

  it('I2: tells the launch before the engine starts the container', async () => {
    const driver = openDriver('order');
    const events = new RecordedEvents();
    let running: Promise<unknown> | undefined;
    const launching = (): void => {
      running = engine.client.send({ method: 'GET', path: '/containers/json' });
    };
    await driver.start(specOf('order', { cmd: ['sleep', '1000'] }), Object.assign(events, { launching }), never);
    expect(await running).toEqual([]);
    await driver.destroy('order');
    driver.close();
  });

  it('tells the health that the engine finds', async () => {
    const driver = openDriver('health');
    const events = new RecordedEvents();
    const health = { cmd: ['true'], intervalMs: 1_000, timeoutMs: 1_000, retries: 1, startPeriodMs: 0 };
    await driver.start(specOf('health', { cmd: ['sleep', '1000'], health, network: 'host' }), events, never);
    await expect.poll(() => events.calls).toContain('health healthy');
    await driver.destroy('health');
    driver.close();
  });

  /** Starts a program that ends with 7 on SIGTERM, and waits for its first line. */
  const startAlive = async (driver: DockerDriver, taskId: string): Promise<RecordedEvents> => {
    const events = new RecordedEvents();
    const ready = new Promise<void>((resolve) => {
      events.onOutput = resolve;
    });
    const script = 'trap "exit 7" TERM; echo alive; while true; do sleep 0.1; done';
    await driver.start(specOf(taskId, { cmd: ['sh', '-c', script] }), events, never);
    await ready;
    return events;
  };

  it('I3: tells how a task ended that the engine took along when it was stopped', async () => {
    const driver = openDriver('stopped');
    const events = await startAlive(driver, 'stopped');
    const exit = driver.wait('stopped', never);
    await engine.stop();
    await engine.start();
    expect(await exit).toMatchObject({ kind: 'exited', exitCode: 7 });
    expect(events.stdout).toBe('alive\n');
    await driver.destroy('stopped');
    driver.close();
  });

  it('I3: says so when the engine was killed while a task ran', async () => {
    const driver = openDriver('killed');
    const events = await startAlive(driver, 'killed');
    const exit = driver.wait('killed', never);
    await engine.stop('SIGKILL');
    await engine.start();
    expect(await exit).toMatchObject({ kind: 'exited', engineFailed: true });
    expect(events.calls).toContain('outputRestarts');
    expect(events.stdout).toBe('alive\n');
    await driver.destroy('killed');
    expect(await driver.list()).toEqual([]);
    driver.close();
  });

  it('I3: gives a task up when the engine does not come back', async () => {
    const driver = new DockerDriver(
      { clock: systemClock, random: systemRandom },
      { socketPath: engine.socketPath, workerId: 'patience', enginePatienceMs: 300 },
    );
    await startAlive(driver, 'patience');
    const exit = driver.wait('patience', never);
    await engine.stop('SIGKILL');
    expect(await exit).toMatchObject({ kind: 'lost', reason: expect.stringContaining('did not come back') });
    expect(await driver.fingerprint(never)).toMatchObject({ available: false, reason: expect.any(String) });
    await engine.start();
    await driver.destroy('patience');
    driver.close();
  });
});

describe.skipIf(skip)('on a Docker engine that keeps containers over a restart', () => {
  it('I3: goes on with a task, and loses nothing that it wrote meanwhile', async () => {
    const engine = await openTestEngine({ liveRestore: true });
    try {
      const options = { socketPath: engine.socketPath, workerId: 'live', enginePatienceMs: 30_000 };
      const driver = new DockerDriver({ clock: systemClock, random: systemRandom }, options);
      const events = new RecordedEvents();
      const ready = new Promise<void>((resolve) => {
        events.onOutput = resolve;
      });
      const workspace = join(engine.folder, 'live');
      mkdirSync(workspace);
      const script = `echo one; until [ -e ${workspaceMount}/go ]; do sleep 0.1; done; echo two`;
      await driver.start({ ...sampleSpec('live', testImage, workspace), cmd: ['sh', '-c', script] }, events, never);
      await ready;
      const exit = driver.wait('live', never);
      await engine.stop();
      await engine.start();
      writeFileSync(join(workspace, 'go'), '');
      expect(await exit).toMatchObject({ kind: 'exited', exitCode: 0 });
      expect(events.stdout).toBe('one\ntwo\n');
      await driver.destroy('live');
      driver.close();
    } finally {
      await engine.close();
    }
  });
});

describe('on an engine that loses a connection', () => {
  const remark = 'Error: read unixpacket @->/proc/self/fd/14/attach: read: connection reset by peer\n';
  const frame = (stream: 1 | 2, text: string): Buffer => {
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  let folder: string;
  let server: Server;
  let driver: DockerDriver;
  /** What comes over the connection before it ends. */
  let attached: readonly Buffer[];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-driver-'));
    const socketPath = join(folder, 'engine.sock');
    server = createServer((request, response) => {
      const answers: Readonly<Record<string, unknown>> = {
        wait: { StatusCode: 0 },
        json: { Config: { Labels: { [workerLabel]: 'agent' } }, State: { Running: false, ExitCode: 0 } },
      };
      const action = new URL(request.url ?? '', 'http://engine').pathname.split('/').pop() ?? '';
      if (action === 'logs')
        response.end(Buffer.concat([frame(1, 'one\ntwo\n'), frame(2, 'bad\n'), frame(1, 'three\n')]));
      else response.end(JSON.stringify(answers[action] ?? {}));
    });
    server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      socket.end(Buffer.concat(attached));
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    const options = { socketPath, workerId: 'agent', enginePatienceMs: 30_000 };
    driver = new DockerDriver({ clock: systemClock, random: systemRandom }, options);
  });
  afterEach(() => {
    driver.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['says so', [frame(1, 'one\nt'), frame(2, remark)]],
    ['brings nothing', []],
  ])('I4: tells the rest of the output, and nothing twice, where the connection %s', async (_what, frames) => {
    attached = frames;
    const events = new RecordedEvents();
    expect(await driver.start(sampleSpec('cut', 'image', folder), events, never)).toMatchObject({ kind: 'started' });
    expect(await driver.wait('cut', never)).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect([events.stdout, events.stderr]).toEqual(['one\ntwo\nthree\n', 'bad\n']);
    expect(events.calls).not.toContain('outputRestarts');
  });
});
