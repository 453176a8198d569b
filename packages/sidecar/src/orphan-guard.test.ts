import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const guard = new URL('./orphan-guard.ts', import.meta.url).href;

/** A process that ends on SIGKILL alone, and while it lives answers whatever is sent to it. */
const stubborn = `process.on('SIGTERM', () => {});
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
  socket.on('data', (data) => socket.write(data)).on('error', () => {});`;

let server: Server;
let hosts: ChildProcess[] = [];
/** Groups that the test itself has to end. */
let leftovers: number[] = [];

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  for (const host of hosts) host.kill('SIGKILL');
  for (const group of leftovers) process.kill(-group, 'SIGKILL');
  [hosts, leftovers] = [[], []];
  server.close();
});

/** Starts a process with a guard; `script` may use `guard` and `start`, which starts a stubborn process. */
function startHost(script: string): ChildProcess {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const program = `const { OrphanGuard } = await import(${JSON.stringify(guard)});
    const { spawn } = await import('node:child_process');
    const guard = new OrphanGuard();
    const start = () => spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}, ${port}],
      { detached: true, stdio: 'ignore' }).pid;
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

describe.skipIf(process.platform === 'win32')('OrphanGuard', () => {
  it('I1: what is watched ends when the host is killed', async () => {
    const connected = nextConnection();
    const host = startHost('guard.watch(start()); setInterval(() => {}, 1000);');
    const worker = await connected;
    const ended = once(worker, 'close');
    host.kill('SIGKILL');
    await ended;
    expect(worker.destroyed).toBe(true);
  });

  it('I2: what was forgotten is left alone', async () => {
    const first = nextConnection();
    const host = startHost(`const freed = start();
      guard.watch(freed);
      console.log(freed);
      process.once('SIGUSR2', () => { guard.forget(freed); guard.watch(start()); });
      setInterval(() => {}, 1000);`);
    leftovers.push(Number(await nextLine(host)));
    const freed = await first;
    const second = nextConnection();
    host.kill('SIGUSR2');
    const watched = await second;
    const ended = once(watched, 'close');
    host.kill('SIGKILL');
    await ended;
    const echo = once(freed, 'data');
    freed.write('still there');
    expect(String((await echo)[0])).toBe('still there');
  });

  it('I3: a host with nothing else to do ends', async () => {
    const noGroup = 2 ** 30;
    const host = startHost(`guard.watch(${noGroup}); process.exitCode = 7;`);
    const [code] = (await once(host, 'exit')) as [number];
    expect(code).toBe(7);
  });
});
