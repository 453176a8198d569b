import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const urlOf = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

/** A process that ends on SIGKILL alone, and while it lives answers whatever is sent to it. */
const stubborn = `process.on('SIGTERM', () => {});
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
  socket.on('data', (data) => socket.write(data)).on('error', () => {});`;

let server: Server;
const hosts: ChildProcess[] = [];
/** Groups that the test itself has to end. */
const leftovers: number[] = [];

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  for (const host of hosts.splice(0)) host.kill('SIGKILL');
  server.close();
  for (const group of leftovers.splice(0)) process.kill(-group, 'SIGKILL');
});

/**
 * Starts a process with a guard; `script` may use `guard`, `mark`, `startOf`, and `start`, which starts a stubborn process
 * with more variables.
 */
function startHost(script: string): ChildProcess {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const program = `const { OrphanGuard } = await import(${urlOf('./orphan-guard.ts')});
    const { openProcessTable } = await import(${urlOf('./node-processes-table.ts')});
    const { toOwnerMark } = await import(${urlOf('./process-owner.ts')});
    const { spawn } = await import('node:child_process');
    const self = openProcessTable().self();
    const mark = self && toOwnerMark(self);
    const startOf = (pid) => openProcessTable().identityOf(pid)?.startTicks;
    const guard = new OrphanGuard(mark);
    const start = (more = {}) => spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}, ${port}],
      { detached: true, stdio: 'ignore', env: { ...process.env, ...more } }).pid;
    ${script}`;
  const host = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  hosts.push(host);
  return host;
}

async function nextConnection(): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  return socket.on('error', () => {});
}

async function nextLine(host: ChildProcess): Promise<string> {
  const [chunk] = (await once(host.stdout ?? host, 'data')) as [Uint8Array];
  return Buffer.from(chunk).toString().trim();
}

async function echoes(socket: Socket): Promise<string> {
  const echo = once(socket, 'data');
  socket.write('still there');
  return String((await echo)[0]);
}

describe.skipIf(process.platform === 'win32')('OrphanGuard', () => {
  it('I1: what is watched ends when the host is killed', async () => {
    const connected = nextConnection();
    const host = startHost(`guard.watch(start(), undefined);
      console.log('watched');
      setInterval(() => {}, 1000);`);
    // The worker may be there before its host has come to watch it.
    const [worker] = await Promise.all([connected, nextLine(host)]);
    const ended = once(worker, 'close');
    host.kill('SIGKILL');
    await ended;
    expect(worker.destroyed).toBe(true);
  });

  it('I2: what was forgotten is left alone', async () => {
    const first = nextConnection();
    const host = startHost(`const freed = start();
      guard.watch(freed, undefined);
      process.once('SIGUSR2', () => { guard.forget(freed); guard.watch(start(), undefined); console.log('watched'); });
      console.log(freed);
      setInterval(() => {}, 1000);`);
    leftovers.push(Number(await nextLine(host)));
    const freed = await first;
    const second = nextConnection();
    host.kill('SIGUSR2');
    const [watched] = await Promise.all([second, nextLine(host)]);
    const ended = once(watched, 'close');
    host.kill('SIGKILL');
    await ended;
    expect(await echoes(freed)).toBe('still there');
  });

  it('I3: a host with nothing else to do ends', async () => {
    const noGroup = 2 ** 30;
    const host = startHost(`guard.watch(${noGroup}, undefined); process.exitCode = 7;`);
    const [code] = (await once(host, 'exit')) as [number];
    expect(code).toBe(7);
  });

  it.skipIf(process.platform !== 'linux')('I1: what is watched with its start ends too', async () => {
    const connected = nextConnection();
    const host = startHost(`const pid = start();
      guard.watch(pid, startOf(pid));
      console.log('watched');
      setInterval(() => {}, 1000);`);
    const [worker] = await Promise.all([connected, nextLine(host)]);
    const ended = once(worker, 'close');
    host.kill('SIGKILL');
    await ended;
    expect(worker.destroyed).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')(
    'I4: a group of the same number and another start is left alone',
    async () => {
      const first = nextConnection();
      const host = startHost(`const foreign = start();
      guard.watch(foreign, '1');
      process.once('SIGUSR2', () => { const pid = start(); guard.watch(pid, startOf(pid)); console.log('watched'); });
      console.log(foreign);
      setInterval(() => {}, 1000);`);
      leftovers.push(Number(await nextLine(host)));
      const foreign = await first;
      const second = nextConnection();
      host.kill('SIGUSR2');
      const [watched] = await Promise.all([second, nextLine(host)]);
      const ended = once(watched, 'close');
      host.kill('SIGKILL');
      await ended;
      expect(await echoes(foreign)).toBe('still there');
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'I5: what left its group ends by its mark, and no other mark counts',
    async () => {
      const first = nextConnection();
      const host = startHost(`guard.watch(${2 ** 30}, '1');
      const foreign = start({ SWITCHYARD_OWNER: mark.replace(';', '0;') });
      process.once('SIGUSR2', () => start({ SWITCHYARD_OWNER: mark }));
      console.log(foreign);
      setInterval(() => {}, 1000);`);
      leftovers.push(Number(await nextLine(host)));
      const foreign = await first;
      const second = nextConnection();
      host.kill('SIGUSR2');
      const marked = await second;
      const ended = once(marked, 'close');
      host.kill('SIGKILL');
      await ended;
      expect(await echoes(foreign)).toBe('still there');
    },
  );
});
