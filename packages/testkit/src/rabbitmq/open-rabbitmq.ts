/**
 * A real RabbitMQ for tests: a node with a name, a folder and ports of its own.
 *
 * Erlang would start a name server for all of the machine, which stays when the node is gone. Here each node has one of
 * its own, started before it and ended after it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from '../end-with-us.ts';
import { findProgram } from '../find-program.ts';
import { freePort } from '../free-port.ts';
import { requirePart } from '../missing-part.ts';

export interface TestRabbitMq {
  /** With the user who may do everything. */
  readonly address: string;
  /** Kills the node and starts it again on the same port and folder. */
  restart(): Promise<void>;
  /** Ends the node as a crash does; `restart` brings it back. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** The wrapper on the path of Debian insists on the service's own user and folders; this is what it calls. */
const server = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Whether RabbitMQ is here: a loud skip on somebody's machine, a failure in continuous integration. */
export const rabbitMqPart = requirePart(
  'RabbitMQ',
  existsSync(server) && findProgram('epmd') !== undefined,
  "Install Debian's package rabbitmq-server.",
);

/** Erlang refuses nothing to root, but nobody, who has this number on every Linux, needs less. */
const nobody = 65_534;

/** Starts a node; it takes connections when this resolves. */
export async function openRabbitMq(): Promise<TestRabbitMq> {
  const folder = mkdtempSync(join(tmpdir(), 'rabbitmq-'));
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (process.getuid?.() === 0) chownSync(folder, nobody, nobody);
  const [port, namePort, distributionPort] = [await freePort(), await freePort(), await freePort()];
  const environment = writeConfiguration(folder, { port, namePort, distributionPort });
  const options = { ...identity, cwd: folder, env: environment };
  const names = start('epmd', ['-port', String(namePort), '-address', '127.0.0.1'], options);
  let node = await startNode(options);
  const stop = (): Promise<void> => end(node, 'SIGKILL');
  return {
    address: `amqp://guest:guest@127.0.0.1:${port}`,
    async restart() {
      await stop();
      node = await startNode(options);
    },
    stop,
    async close() {
      await end(node, 'SIGTERM');
      await end(names, 'SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Ports {
  readonly port: number;
  readonly namePort: number;
  readonly distributionPort: number;
}

/** Writes what the node reads, and gives the environment that leads it there and nowhere else. */
function writeConfiguration(folder: string, { port, namePort, distributionPort }: Ports): NodeJS.ProcessEnv {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const settings = [`listeners.tcp.1 = 127.0.0.1:${port}`, 'disk_free_limit.absolute = 1MB', 'log.console = true'];
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(namePort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `test-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_CONFIG_FILE: file('rabbit.conf', `${settings.join('\n')}\n`),
    RABBITMQ_CONF_ENV_FILE: file('environment', ''),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins', '[].\n'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'logs'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}',
    // The process that is started is then the node itself, and no shell around it.
    RUNNING_UNDER_SYSTEMD: '1',
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

type StartOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
};

function start(program: string, flags: readonly string[], options: StartOptions): Running {
  const child = spawn(program, flags, { ...options, stdio: ['ignore', 'pipe', 'ignore'] });
  endWithUs(child);
  return { child, ended: new Promise((resolve) => child.once('exit', () => resolve())) };
}

async function startNode(options: StartOptions): Promise<Running> {
  const node = start(server, [], options);
  let log = '';
  await new Promise<void>((resolve, reject) => {
    node.child.stdout?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString('utf8')).slice(-20_000);
      if (log.includes('Server startup complete')) resolve();
    });
    node.child.once('exit', () => reject(new Error(`RabbitMQ did not start: ${log}`)));
  });
  return node;
}

/** Programs that a node started go with it, also when it is killed. */
async function end({ child, ended }: Running, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill(signal);
  await ended;
}
