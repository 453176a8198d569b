import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openUnixServer, type UnixServer } from './unix-server.ts';
import { createUnixTransport } from './unix-transport.ts';

let folder: string;
let path: string;
const open: UnixServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-socket-'));
  path = join(folder, 'worker.sock');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function listen(text: string): Promise<UnixServer> {
  const server = await openUnixServer((request, response) => {
    response.writeHead(202);
    if (request.method === 'GET') response.end(text);
    else request.pipe(response);
  }, path);
  open.push(server);
  return server;
}

const ask = (method: 'GET' | 'POST', body = '') => createUnixTransport(path)({ method, path: '/status', body });

describe.skipIf(process.platform === 'win32')('openUnixServer', () => {
  it('lets its owner in, and nobody else', async () => {
    await listen('hello');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask('GET')).toEqual({ status: 202, body: 'hello' });
    expect(await ask('POST', 'a body')).toEqual({ status: 202, body: 'a body' });
  });

  it('leaves the mask of the process as it was', async () => {
    const before = process.umask();
    await listen('hello');
    expect(process.umask()).toBe(before);
  });

  it('takes its socket away', async () => {
    const server = await listen('hello');
    await server.close();
    expect(existsSync(path)).toBe(false);
    await expect(ask('GET')).rejects.toThrow('ENOENT');
  });

  it('takes the place of a wrapper that was killed', async () => {
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const killed = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(existsSync(path)).toBe(true);
    await listen('the next');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask('GET')).toMatchObject({ body: 'the next' });
  });

  it('leaves the place of a wrapper that lives', async () => {
    await listen('the first');
    await expect(listen('the second')).rejects.toMatchObject({ code: 'WRAPPER_SOCKET_TAKEN' });
    expect(await ask('GET')).toMatchObject({ body: 'the first' });
  });

  it('names a path that cannot be used', async () => {
    path = join(folder, 'missing', 'worker.sock');
    await expect(listen('')).rejects.toMatchObject({ code: 'WRAPPER_SOCKET_UNUSABLE' });
  });

  it('does not remove a file that is no socket', async () => {
    writeFileSync(path, 'precious');
    await expect(listen('')).rejects.toMatchObject({ code: 'WRAPPER_SOCKET_UNUSABLE' });
    expect(statSync(path).isFile()).toBe(true);
  });
});
