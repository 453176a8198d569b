import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createHostRelay, type RelayedProcess } from '@switchyard/capability-broker';
import type { Log, Secret } from '@switchyard/kernel';
import { listen } from '../http/listen.ts';
import type { HostProgram } from './open-capability-host.ts';
import { builtHostProgram } from './start-broker.ts';

export interface ServeHostRelayOptions {
  readonly host: string;
  readonly port: number;
  /** Who shows it gets a host. */
  readonly token: Secret;
  readonly maxHosts: number;
  /** What hosts see of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The host program, where it is not the one for Node.js. */
  readonly program?: HostProgram;
}

export interface HostRelayServer {
  readonly url: string;
  close(): void;
}

/** How many bytes of a line that a capability prints are kept. */
const maxLineLength = 4_096;

/** Lets brokers on other machines run capabilities here. Rejects with PORT_IN_USE or PORT_REFUSED. */
export async function serveHostRelay(
  { log }: { readonly log: Log },
  options: ServeHostRelayOptions,
): Promise<HostRelayServer> {
  const { host, port, token, maxHosts, environment } = options;
  const program = options.program ?? { executable: process.execPath, parameters: [builtHostProgram()] };
  const startHost = (): RelayedProcess => {
    const child = spawn(program.executable, [...program.parameters], { env: { ...environment }, stdio: 'pipe' });
    child.stderr.on('data', (chunk: Buffer) => {
      log.write('information', 'A capability printed', {
        text: chunk.toString('utf8').slice(0, maxLineLength).trimEnd(),
      });
    });
    return {
      input: child.stdout,
      output: child.stdin,
      onEnd: (callback) => {
        child.on('exit', callback);
        child.on('error', callback);
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
  const relay = createHostRelay(startHost, { token, maxHosts });
  const server = createServer((_request, response) => response.writeHead(426).end());
  server.on('upgrade', (request, socket, head) => relay.handleUpgrade(request, socket, head));
  const bound = await listen(server, { host, port });
  return {
    url: `ws://${host}:${bound}`,
    close: () => {
      server.close();
      relay.close();
    },
  };
}
