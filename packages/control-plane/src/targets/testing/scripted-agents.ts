/** Node agents and their pods in memory, behind the port that adapters ask over: for tests. */
import type { HttpAsk, HttpExchange, HttpReply } from '@switchyard/protocol/http-exchange';
import { type JobRequest, type JobSummary, parseJobRequest } from '@switchyard/protocol/job-api';

interface Pod {
  readonly agent: string;
  readonly request: JobRequest;
  state: JobSummary['state'];
  cancelled: boolean;
  restarts: number;
  error: JobSummary['error'];
}

export class ScriptedAgents {
  readonly urls: readonly string[];
  readonly pods = new Map<string, Pod>();
  /** Images that cannot be had, that never start, and whose containers answer 500. */
  readonly broken = new Set<string>();
  readonly slow = new Set<string>();
  readonly spoilt = new Set<string>();
  /** Agents that do not answer. */
  readonly away = new Set<string>();
  maxPods = 20;
  /** Pods that were started or stopped. */
  changes = 0;
  /** What was asked, without bodies. */
  readonly asked: string[] = [];

  constructor(urls: readonly string[]) {
    this.urls = urls;
  }

  readonly exchange: HttpExchange = async (ask) => {
    const { origin, pathname, searchParams, port } = new URL(ask.url);
    if (!this.urls.includes(origin)) return this.#answerOfPod(Number(port), origin);
    this.asked.push(`${ask.method} ${origin}${pathname}`);
    if (this.away.has(origin)) throw new Error('connect ECONNREFUSED');
    if (pathname === '/health') return json(200, this.#health(origin));
    const jobId = decodeURIComponent(pathname.slice('/jobs/'.length));
    if (ask.method === 'POST') return this.#submit(origin, ask);
    if (ask.method === 'DELETE') return this.#cancel(jobId);
    if (pathname === '/jobs') return json(200, { jobs: this.#list(origin, searchParams), next_cursor: null });
    const found = this.pods.get(jobId);
    if (found === undefined || found.agent !== origin) return json(404, {});
    const printed = { stdout: '', stderr: '', stdout_dropped_bytes: 0, stderr_dropped_bytes: 0 };
    return json(200, { ...this.#summary(jobId, found), ...printed });
  };

  /** Pods that run, by image and agent. */
  running(image?: string): readonly Pod[] {
    return [...this.pods.values()].filter(
      ({ state, cancelled, request }) =>
        state === 'running' && !cancelled && (image === undefined || request.runtime.image === image),
    );
  }

  /** The machine of an agent is gone, with all that ran there. */
  lose(agent: string): void {
    for (const [jobId, pod] of this.pods) if (pod.agent === agent) this.pods.delete(jobId);
    this.away.add(agent);
  }

  #submit(agent: string, { body = '' }: HttpAsk): HttpReply {
    const reading = parseJobRequest(JSON.parse(body));
    if (reading.kind === 'rejected') return json(400, { accepted: false, state: 'rejected', ...reading });
    const { request } = reading;
    const image = request.runtime.image ?? '';
    const isBroken = this.broken.has(image);
    this.changes += 1;
    this.pods.set(request.job_id, {
      ...{ agent, request, cancelled: false, restarts: 0 },
      state: isBroken ? 'failed' : this.slow.has(image) ? 'queued' : 'running',
      error: isBroken ? { code: 'IMAGE_UNAVAILABLE', message: `there is no image ${image}` } : null,
    });
    return json(202, { accepted: true, job_id: request.job_id, state: 'queued' });
  }

  #cancel(jobId: string): HttpReply {
    const pod = this.pods.get(jobId);
    if (pod === undefined) return json(404, {});
    if (!pod.cancelled) this.changes += 1;
    pod.cancelled = true;
    pod.state = 'failed';
    return json(200, { job_id: jobId, state: pod.state, note: '' });
  }

  #list(agent: string, query: URLSearchParams): readonly JobSummary[] {
    const states = query.get('state')?.split(',') ?? [];
    const labels = query.getAll('label').map((text) => text.split('='));
    return [...this.pods]
      .filter(([, pod]) => pod.agent === agent && states.includes(pod.state))
      .filter(([, { request }]) => labels.every(([name = '', value]) => request.labels[name] === value))
      .map(([jobId, pod]) => this.#summary(jobId, pod));
  }

  #summary(jobId: string, { request, state, restarts, error, cancelled }: Pod): JobSummary {
    const { runtime, labels } = request;
    const times = { created_at: '2026-01-01T00:00:00.000Z', started_at: '2026-01-01T00:00:00.000Z', finished_at: null };
    const limits = { memory_mb: 1, max_runtime_seconds: null, cpus: 1, pids: 1, output_bytes: 1 };
    return {
      ...{ job_id: jobId, state, ...times, exit_code: null, error, task_type: '', labels, mode: runtime.mode },
      ...{ lifecycle: 'pod', image: null, limits, cancel_requested: cancelled, restarts, health: 'none' },
      address: null,
      ports: Object.fromEntries(runtime.ports.map((port) => [String(port), this.#hostPortOf(jobId)])),
    };
  }

  #health(agent: string) {
    const running = [...this.pods.values()].filter((pod) => pod.agent === agent && pod.state === 'running').length;
    return {
      ...{ status: 'ok', uptime_seconds: 1, load_average: [0, 0, 0], running_jobs: 0, max_concurrent_jobs: 1 },
      ...{ queued_jobs: 0, max_queued_jobs: 1, running_pods: running, max_pods: this.maxPods },
      ...{ memory_mb: 1, memory_available_mb: 1, cpu_load: 0 },
    };
  }

  #answerOfPod(port: number, origin: string): HttpReply {
    const found = [...this.pods].find(([jobId]) => this.#hostPortOf(jobId) === port);
    if (found === undefined || found[1].state !== 'running') throw new Error(`connect ECONNREFUSED ${origin}`);
    return { status: this.spoilt.has(found[1].request.runtime.image ?? '') ? 500 : 200, text: '' };
  }

  #hostPortOf(jobId: string): number {
    return 30_000 + [...this.pods.keys()].indexOf(jobId);
  }
}

function json(status: number, body: unknown): HttpReply {
  return { status, text: JSON.stringify(body) };
}
