/**
 * One debugger port per app that stays the same over all of its versions.
 *
 * Each worker opens its inspector on a port of its own, so that a new version can start while the old one still runs;
 * what a debugger connects to is a port here, which leads to the app's newest worker.
 *
 * Ownership: startDev opens and closes it; it owns its sockets and follows the supply's events.
 *
 * I1 A connection goes to the app's newest worker whose inspector listens; without one it is closed.
 * I2 When a newer inspector listens, or a worker ends, the connections to the older one are closed, so that debuggers
 *    that attach again find the newer one.
 * I3 The address is told with every inspector, as Node tells it, with the app's port.
 * I4 A port that cannot be had is told once, and debuggers find the worker's own port in its line.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '@switchyard/kernel';
import type { SupplyEvent } from '@switchyard/protocol';
import type { InspectRequest } from './inspect-arguments.ts';

export interface DebuggerPortsOptions {
  readonly onNote: (applicationId: string, text: string) => void;
}

/** A worker's inspector. */
interface Inspector {
  readonly workerId: string;
  readonly port: number;
}

interface AppPort {
  readonly request: InspectRequest;
  readonly server: Server;
  /** Settles when the port is open or cannot be had. */
  readonly opened: Promise<boolean>;
  /** Oldest first. */
  readonly inspectors: Inspector[];
  readonly connections: Map<Socket, string>;
}

/** What Node prints when its inspector listens (stderr). */
const listening = /^Debugger listening on ws:\/\/[^/]*:(\d+)\/(\S+)$/;

export class DebuggerPorts {
  readonly #options: DebuggerPortsOptions;
  readonly #apps = new Map<string, AppPort>();
  readonly #appOf = new Map<string, string>();

  constructor(options: DebuggerPortsOptions) {
    this.#options = options;
  }

  /** Opens the app's port, once. */
  open(applicationId: string, request: InspectRequest): void {
    if (this.#apps.has(applicationId)) return;
    const server = createServer((client) => this.#connect(applicationId, client));
    server.unref();
    const opened = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true));
      server.once('close', () => resolve(false));
      server.once('error', (error) => {
        const text = `Port ${request.port} for the debugger cannot be had (${messageOf(error)}).`;
        this.#options.onNote(applicationId, text);
        resolve(false);
      });
    });
    this.#apps.set(applicationId, { request, server, opened, inspectors: [], connections: new Map() });
    server.listen({ host: request.host, port: request.port });
  }

  /** True when debuggers find the app's workers at a port of its own. */
  has(applicationId: string): boolean {
    return this.#apps.has(applicationId);
  }

  /** Follows the workers. */
  observe(event: SupplyEvent): void {
    if (event.kind === 'expected' && this.#apps.has(event.application.applicationId)) {
      this.#appOf.set(event.workerId, event.application.applicationId);
    } else if (event.kind === 'exited') this.#ended(event.workerId);
    else if (event.kind === 'console' && event.stream === 'stderr') void this.#heard(event.workerId, event.line);
  }

  async close(): Promise<void> {
    const apps = [...this.#apps.values()];
    this.#apps.clear();
    for (const { server, connections } of apps) {
      server.close();
      for (const client of connections.keys()) client.destroy();
    }
    await Promise.all(apps.map(({ opened }) => opened));
  }

  async #heard(workerId: string, line: string): Promise<void> {
    const applicationId = this.#appOf.get(workerId);
    const match = listening.exec(line);
    if (applicationId === undefined || match === null) return;
    const app = this.#apps.get(applicationId);
    if (app === undefined) return;
    const older = app.inspectors.map((inspector) => inspector.workerId);
    app.inspectors.push({ workerId, port: Number(match[1]) });
    for (const one of older) cut(app, one);
    const { host, port } = (await app.opened) ? addressOf(app) : { host: '127.0.0.1', port: Number(match[1]) };
    this.#options.onNote(applicationId, `Debugger listening on ws://${host}:${port}/${match[2]}`);
  }

  #ended(workerId: string): void {
    const app = this.#apps.get(this.#appOf.get(workerId) ?? '');
    this.#appOf.delete(workerId);
    if (app === undefined) return;
    const index = app.inspectors.findIndex((inspector) => inspector.workerId === workerId);
    if (index !== -1) app.inspectors.splice(index, 1);
    cut(app, workerId);
  }

  #connect(applicationId: string, client: Socket): void {
    const app = this.#apps.get(applicationId);
    const inspector = app?.inspectors.at(-1);
    client.on('error', () => client.destroy());
    if (app === undefined || inspector === undefined) {
      client.destroy();
      return;
    }
    const worker = connect({ host: '127.0.0.1', port: inspector.port });
    app.connections.set(client, inspector.workerId);
    worker.on('error', () => client.destroy());
    worker.on('close', () => client.destroy());
    client.on('close', () => {
      app.connections.delete(client);
      worker.destroy();
    });
    client.pipe(worker).pipe(client);
  }
}

function cut(app: AppPort, workerId: string): void {
  for (const [client, owner] of app.connections) if (owner === workerId) client.destroy();
}

/** Port 0 takes any that is free. */
function addressOf({ request, server }: AppPort): { host: string; port: number } {
  const address = server.address();
  return { host: request.host, port: typeof address === 'object' && address !== null ? address.port : request.port };
}
