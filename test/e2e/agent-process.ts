/**
 * `switchyard agent` as a real process, and a master that speaks plain HTTP to it.
 *
 * Ownership: a test opens it and closes it, also when it fails; what runs in containers belongs to the engine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevProcess } from './dev-process.ts';

/** The parts of a record that tests look at. */
export interface JobView {
  readonly job_id: string;
  readonly state: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly exit_code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdout_dropped_bytes: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly image: { readonly reference: string; readonly id: string; readonly digest: string | null } | null;
  readonly limits: Readonly<Record<string, number | null>>;
  readonly restarts: number;
  readonly health: string;
  readonly address: string | null;
}

export interface AgentAnswer<T = Readonly<Record<string, unknown>>> {
  readonly status: number;
  readonly body: T;
}

export interface AgentProcessOptions {
  readonly workerId: string;
  readonly socketPath?: string;
  /** Settings by the names of their variables without the prefix, such as `MAX_CONCURRENT_JOBS`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where it listens, and what it shows. */
  readonly flags?: readonly string[];
  /** The program that runs it; the Node of the tests when left out. */
  readonly node?: string;
  /** Keeps jobs in a file, which a restart finds again. */
  readonly durable?: boolean;
}

/** More than any job of these tests takes. */
const waitSeconds = 60;

export class AgentProcess {
  readonly folder: string;
  readonly #options: AgentProcessOptions;
  #process: DevProcess;
  #url = '';

  private constructor(folder: string, options: AgentProcessOptions) {
    this.folder = folder;
    this.#options = options;
    this.#process = this.#spawn();
  }

  static async start(options: AgentProcessOptions): Promise<AgentProcess> {
    const agent = new AgentProcess(await mkdtemp(join(tmpdir(), 'switchyard-agent-')), options);
    try {
      await agent.#ready();
      return agent;
    } catch (error) {
      await agent.close();
      throw error;
    }
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get output(): string {
    return this.#process.output;
  }

  /** Starts it again with the same settings and files, after its end. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#ready();
  }

  /** Ends it without a word, as a crash does. */
  async crash(): Promise<void> {
    this.#process.signal('SIGKILL');
    await this.#process.exited();
  }

  async stop(): ReturnType<DevProcess['stop']> {
    return await this.#process.stop();
  }

  async close(): Promise<void> {
    try {
      await this.#process.close();
    } finally {
      await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async call<T = Readonly<Record<string, unknown>>>(path: string, init: RequestInit = {}): Promise<AgentAnswer<T>> {
    const response = await fetch(new URL(path, this.#url), init);
    return { status: response.status, body: (await response.json()) as T };
  }

  async post(body: unknown): Promise<AgentAnswer> {
    return await this.call('/jobs', {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** Submits a job that must be accepted. */
  async submit(body: { readonly job_id: string }): Promise<void> {
    const { status, body: answer } = await this.post(body);
    if (status !== 202) throw new Error(`the agent answered ${status} ${JSON.stringify(answer)}`);
  }

  async look(jobId: string): Promise<JobView> {
    return (await this.call<JobView>(`/jobs/${encodeURIComponent(jobId)}`)).body;
  }

  /** The record of a job that has ended. */
  async result(jobId: string): Promise<JobView> {
    const path = `/jobs/${encodeURIComponent(jobId)}?wait_seconds=${waitSeconds}`;
    const { body } = await this.call<JobView>(path);
    if (body.state !== 'finished' && body.state !== 'failed')
      throw new Error(`the job ${jobId} is ${body.state} still. The agent printed:\n${this.output}`);
    return body;
  }

  async run(body: { readonly job_id: string }): Promise<JobView> {
    await this.submit(body);
    return await this.result(body.job_id);
  }

  async cancel(jobId: string): Promise<AgentAnswer> {
    return await this.call(`/jobs/${encodeURIComponent(jobId)}`, { method: 'DELETE' });
  }

  #spawn(): DevProcess {
    const { workerId, socketPath, settings = {}, durable = false, flags = [], node } = this.#options;
    const named = Object.entries(settings).map(([name, value]) => [`SWITCHYARD_AGENT_${name}`, value]);
    const environment = {
      SWITCHYARD_AGENT_WORKSPACE_PATH: join(this.folder, 'workspaces'),
      SWITCHYARD_AGENT_STOP_GRACE_SECONDS: '1',
      SWITCHYARD_AGENT_DRAIN_SECONDS: '0',
      ...Object.fromEntries(named),
    };
    const store = durable ? ['--store', join(this.folder, 'jobs.db')] : [];
    const engine = socketPath === undefined ? [] : ['--docker-socket', socketPath];
    const words = ['agent', '--port', '0', '--worker-id', workerId, ...store, ...engine, ...flags];
    return new DevProcess(words, environment, node);
  }

  async #ready(): Promise<void> {
    const line = await this.#process.line(/^Node agent at /);
    this.#url = /^Node agent at (\S+)\. /.exec(line)?.[1] ?? '';
  }
}
