/** The HTTP API over a job service on virtual time and the mock engine, on a real socket. */
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '@switchyard/kernel';
import type { AccessRule } from '../api/access.ts';
import { AgentApi } from '../api/agent-api.ts';
import { EngineStatus } from '../api/engine-status.ts';
import { MockDriver } from '../driver/mock/mock-driver.ts';
import type { SystemMetrics } from '../machine/system-metrics.ts';
import { AgentBench, type AgentBenchOptions } from './agent-bench.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON; undefined when it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface ApiRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A machine that is always the same. */
const system: SystemMetrics = {
  describe: async () => ({
    hostname: 'bench',
    cpuCores: 2,
    cpuThreads: 4,
    memoryMb: 8_000,
    os: 'linux',
    architecture: 'arm64',
  }),
  load: async () => ({
    loadAverage: [0.5, 0.25, 0.125],
    cpuLoad: 0.1,
    memoryMb: 8_000,
    memoryAvailableMb: 4_000,
    temperatureC: 41.5,
  }),
};

export class ApiBench {
  readonly agent: AgentBench;
  readonly api: AgentApi;
  readonly server: Server;

  constructor(options: AgentBenchOptions & { readonly token?: string; readonly access?: Partial<AccessRule> } = {}) {
    this.agent = new AgentBench(options);
    const { clock, log, metrics, service, store, engine } = this.agent;
    const driver = new MockDriver(engine);
    const token = options.token === undefined ? undefined : new Secret(options.token);
    this.api = new AgentApi(
      { service, store, metrics, system, engine: new EngineStatus(driver, clock), driverName: 'mock', clock, log },
      {
        workerId: 'bench-1',
        labels: ['gpu'],
        modes: ['image', 'build'],
        version: '1.2.3',
        maxConcurrentJobs: 4,
        maxQueuedJobs: 1_000,
        maxPods: 4,
        startedAtMs: clock.monotonic(),
        access: { token, isLoopback: true, hostname: 'bench', ...options.access },
        maxBodyBytes: 10_000,
      },
    );
    this.server = createServer((incoming, response) => this.api.handleRequest(incoming, response));
  }

  async open(): Promise<void> {
    await this.agent.service.open();
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Sends a request and reads its whole answer. */
  async call(path: string, { method = 'GET', headers = {}, body }: ApiRequest = {}): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      const outgoing = request({ port: this.port, path, method, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async post(job: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const body = typeof job === 'string' ? job : JSON.stringify(job);
    return await this.call('/jobs', { method: 'POST', body, headers });
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
