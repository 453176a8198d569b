import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '@switchyard/kernel';
import { bundleNodeProgram } from '../hosts/testing/node-program.ts';
import { createHostRelay } from '../rpc/host-relay.ts';

/** A relay with real host processes, on a port of this machine. */
export async function openRelay({ maxHosts = 8 } = {}) {
  const program = await bundleNodeProgram();
  const token = new Secret('relay-token');
  const children: ChildProcess[] = [];
  const startHost = () => {
    const child = spawn(process.execPath, [program.path], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    return {
      input: child.stdout,
      output: child.stdin,
      onEnd: (callback: () => void) => void child.on('exit', callback),
      kill: () => void child.kill('SIGKILL'),
    };
  };
  const relay = createHostRelay(startHost, { token, maxHosts });
  const server = createServer().on('upgrade', (request, socket, head) => relay.handleUpgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    token,
    children,
    close: () => {
      relay.close();
      server.close();
      program.remove();
    },
  };
}
