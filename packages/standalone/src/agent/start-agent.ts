/** The composition root of `switchyard agent`: settings, store, container engine and one HTTP port, in one process. */
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Log, type LogLevel, logLevels, systemClock, systemRandom } from '@switchyard/kernel';
import { type AgentSettings, createNodeAgent, createSystemMetrics } from '@switchyard/node-agent';
import { createConsoleLog, openJsonLog, wantsColors } from '@switchyard/telemetry';
import { Closers } from '../dev/closers.ts';
import { createHeldRequests } from '../http/held-requests.ts';
import { createHttpServer } from '../http/http-server.ts';
import { listen, toUrlHost } from '../http/listen.ts';
import { openServerCertificate, type ServerCertificate } from '../http/server-certificate.ts';
import type { AgentOptions } from './agent-options.ts';
import { openDriver, openJobWorkspaces, openStore } from './open-parts.ts';
import { readConfiguration } from './read-configuration.ts';

/** A running agent. */
export interface Agent {
  /** Where its API answers, without a slash at the end. */
  readonly url: string;
  /** Takes no more jobs; lets those that run end for a while, or with a durable store leaves them to their containers. */
  stop(): Promise<void>;
}

/** A request has its head in this time; its body has a patience of its own. */
const headMs = 10_000;

/** Rejects with a PlatformError when a setting, the port, the store or a folder cannot be had; then nothing is left. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { settings } = await readConfiguration(options);
  const log = await openLog(options);
  const closers = new Closers(log);
  try {
    const port = await openAgent(options, settings, log, closers);
    return toAgent(options, settings, port, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Returns the port on which it listens. */
async function openAgent(options: AgentOptions, settings: AgentSettings, log: Log, closers: Closers): Promise<number> {
  const { host } = settings.listen;
  // A job that is followed or waited for takes as long as it takes.
  const certificate = await openCertificate(options, settings, { log, closers });
  const requests = createHeldRequests();
  const server = createHttpServer({ requestTimeout: 0, headersTimeout: headMs }, certificate, requests.listener);
  const port = await listen(server, { host, port: settings.listen.port });
  closers.add('connections', async () => closeServer(server));
  const workerId = settings.worker_id === '' ? `${hostname()}:${port}` : settings.worker_id;
  const store = openStore(settings, options.workingDirectory);
  closers.add('job store', async () => closeStore(store));
  const workspaces = await openJobWorkspaces(settings, workerId, options.workingDirectory);
  const agent = createNodeAgent(
    {
      driver: openDriver(settings, workerId),
      store,
      workspaces,
      system: createSystemMetrics(),
      clock: systemClock,
      random: systemRandom,
      log,
    },
    { settings, workerId, hostname: hostname(), version: options.version },
  );
  closers.add('agent', () => agent.close());
  requests.serve((request, response) => agent.handleRequest(request, response));
  await agent.open();
  return port;
}

/** Undefined where masters speak plain HTTP. */
async function openCertificate(
  { workingDirectory }: AgentOptions,
  { listen: { tls_certificate: certificate, tls_key: key } }: AgentSettings,
  scope: { readonly log: Log; readonly closers: Closers },
): Promise<ServerCertificate | undefined> {
  const at = (path: string): string | undefined => (path === '' ? undefined : resolve(workingDirectory, path));
  return await openServerCertificate({ certificate: at(certificate), key: at(key), authority: undefined }, scope);
}

function closeServer(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** The agent closes its store with itself; this one is for an agent that was never made. */
function closeStore(store: { close(): void }): void {
  try {
    store.close();
  } catch {
    // It is closed already.
  }
}

async function openLog({ output, verbose, environment, console: sink }: AgentOptions): Promise<Log> {
  const lowest = logLevels.indexOf(verbose ? 'debug' : 'information');
  const isWanted = (level: LogLevel): boolean => logLevels.indexOf(level) >= lowest;
  if (output === 'json') return await openJsonLog({ clock: systemClock, sink }, isWanted);
  const colors = wantsColors(sink.isTTY === true, environment);
  return createConsoleLog({ clock: systemClock, sink }, { colors, showApplication: false, isWanted });
}

function toAgent(
  options: AgentOptions,
  { listen: { host, tls_certificate: certificate }, token }: AgentSettings,
  port: number,
  closers: Closers,
): Agent {
  const url = `${certificate === '' ? 'http' : 'https'}://${toUrlHost(host)}:${port}`;
  const say = (message: string, text: string, fields: object = {}): void => {
    const line = { time: new Date(systemClock.now()).toISOString(), level: 'information', message, ...fields };
    options.console.write(options.output === 'json' ? `${JSON.stringify(line)}\n` : text);
  };
  const open = token === '' ? ' Whoever reaches it may start containers: it has no token.' : '';
  say('Listening', `Node agent at ${url}. Press Ctrl-C to stop.${open}\n`, { url });
  return {
    url,
    async stop() {
      say('Stopping', 'Stopping: jobs that run may end. Press Ctrl-C again to stop at once.\n');
      await closers.close();
    },
  };
}
