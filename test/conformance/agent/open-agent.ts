import { randomUUID } from 'node:crypto';
import type { AgentAnswer, AgentUnderTest, JobRecordView } from './contract.ts';

export interface AgentTarget {
  /** Scheme, host and port. */
  readonly url: string;
  /** An image that the agent may run, with a shell and the usual small commands, such as busybox. */
  readonly image: string;
  readonly token?: string | undefined;
}

const pollMs = 50;
const patienceMs = 60_000;

export function openAgent({ url, image, token }: AgentTarget): AgentUnderTest {
  const call: AgentUnderTest['call'] = async (path, { method = 'GET', body } = {}) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await fetch(new URL(path, url), { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    return { status: response.status, type: response.headers.get('content-type') ?? '', text, json: parse(text) };
  };
  const post = async (body: unknown): Promise<AgentAnswer> =>
    await call('/jobs', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  const look = async (jobId: string): Promise<JobRecordView> => {
    const { status, text, json } = await call(`/jobs/${encodeURIComponent(jobId)}`);
    if (status !== 200 || json === undefined) throw new Error(`GET /jobs/${jobId} answered ${status}: ${text}`);
    return json as unknown as JobRecordView;
  };
  const until: AgentUnderTest['until'] = async (jobId, fits) => {
    const endMs = Date.now() + patienceMs;
    for (;;) {
      const record = await look(jobId);
      if (fits(record)) return record;
      if (Date.now() > endMs) throw new Error(`job ${jobId} is still ${JSON.stringify(record)}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
  const submit = async (body: unknown): Promise<void> => {
    const { status, text } = await post(body);
    if (status !== 202) throw new Error(`POST /jobs answered ${status}, not 202: ${text}`);
  };
  const ended = async (jobId: string): Promise<JobRecordView> =>
    await until(jobId, ({ state }) => state === 'finished' || state === 'failed');
  return {
    call,
    post,
    look,
    until,
    submit,
    ended,
    job: (script, runtime = {}) => ({
      protocol_version: 1,
      job_id: `kit-${randomUUID()}`,
      task: { type: 'kit', payload: {} },
      runtime: { mode: 'image', image, cmd: ['sh', '-c', script], ...runtime },
    }),
    async run(body) {
      await submit(body);
      return await ended(body.job_id);
    },
    cancel: async (jobId) => await call(`/jobs/${encodeURIComponent(jobId)}`, { method: 'DELETE' }),
  };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
