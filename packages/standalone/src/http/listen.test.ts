import { createServer } from 'node:net';
import { silentLog, systemClock } from '@switchyard/kernel';
import { createRpcServer } from '@switchyard/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { isListening, listen, listenRpc, mayListen } from './listen.ts';

const servers: ReturnType<typeof createServer>[] = [];
const open = () => {
  const server = createServer();
  servers.push(server);
  return server;
};
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('listen', () => {
  it('takes any free port for 0, and tells which', async () => {
    const port = await listen(open(), { host: '127.0.0.1', port: 0 });
    expect(port).toBeGreaterThan(0);
    expect(await isListening('127.0.0.1', port)).toBe(true);
  });

  it('names the port that is in use, and the way out', async () => {
    const port = await listen(open(), { host: '127.0.0.1', port: 0 });
    await expect(listen(open(), { host: '127.0.0.1', port })).rejects.toThrow(
      `Port ${port} is unavailable: another program listens on 127.0.0.1. End it, or choose another port with --port`,
    );
  });

  it('names the flag of the port, and that of a port for workers as well', async () => {
    const port = await listen(open(), { host: '127.0.0.1', port: 0 });
    const control = listen(open(), { host: '127.0.0.1', port, flag: '--control-port' });
    await expect(control).rejects.toThrow('choose another port with --control-port');
    const rpc = createRpcServer({ clock: systemClock, log: silentLog }, { methods: {} });
    await expect(listenRpc(rpc, { host: '127.0.0.1', port, flag: '--rpc-port' })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining('choose another port with --rpc-port'),
    });
  });

  it('says why an address cannot be used', async () => {
    await expect(listen(open(), { host: '192.0.2.1', port: 0 })).rejects.toThrow(
      'Nothing can listen on port 0 of 192.0.2.1',
    );
  });
});

describe('isListening', () => {
  it('is false where nobody listens', async () => {
    const server = open();
    const port = await listen(server, { host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.close(resolve));
    expect(await isListening('127.0.0.1', port)).toBe(false);
  });
});

describe('mayListen', () => {
  it('is false where the machine refuses, and true where somebody listens', async () => {
    const server = open();
    const port = await listen(server, { host: '127.0.0.1', port: 0 });
    expect(await mayListen('127.0.0.1', port)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await mayListen('127.0.0.1', port)).toBe(false);
  });
});
