/** The job API of node agents, as far as pods need it. */
import { messageOf, type Secret } from '@switchyard/kernel';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import {
  type AgentHealth,
  agentHealthSchema,
  type JobRequestInput,
  type JobSummary,
  jobListSchema,
  jobRecordSchema,
  rejectedSchema,
} from '@switchyard/protocol/job-api';
import { computeErrors } from '../errors.ts';

export interface AgentClient {
  /** Scheme, host and port: what tells agents apart. */
  readonly url: string;
  /** Pods with these labels that wait or run; all methods reject with TARGET_UNREACHABLE or TARGET_REFUSED. */
  pods(labels: Readonly<Record<string, string>>): Promise<readonly JobSummary[]>;
  health(): Promise<AgentHealth>;
  /** Undefined when the agent knows no such job any more. */
  find(jobId: string): Promise<JobSummary | undefined>;
  submit(request: JobRequestInput): Promise<void>;
  /** Harmless when there is none. */
  cancel(jobId: string): Promise<void>;
}

export interface AgentClientOptions {
  readonly computeTarget: string;
  readonly url: string;
  readonly token?: Secret;
}

/** The most pods that one page of an agent's list has; an agent runs fewer. */
const pageSize = 1_000;

export function createAgentClient(exchange: HttpExchange, options: AgentClientOptions): AgentClient {
  const { computeTarget, url, token } = options;
  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: JobRequestInput) => {
    const headers = {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    try {
      return await exchange({ method, url: `${url}${path}`, headers, ...sent });
    } catch (thrown) {
      const reason = messageOf(thrown);
      throw computeErrors.create('TARGET_UNREACHABLE', { computeTarget, address: url, reason }, thrown);
    }
  };
  const refuse = (what: string, { status, text }: { readonly status: number; readonly text: string }): never => {
    throw computeErrors.create('TARGET_REFUSED', { computeTarget, what, status, reason: reasonIn(text) });
  };
  return {
    url,
    async pods(labels) {
      const query = new URLSearchParams({ state: 'queued,running', lifecycle: 'pod', limit: String(pageSize) });
      for (const [name, value] of Object.entries(labels)) query.append('label', `${name}=${value}`);
      const reply = await ask('GET', `/jobs?${query}`);
      return reply.status === 200 ? jobListSchema.parse(JSON.parse(reply.text)).jobs : refuse('list its pods', reply);
    },
    async health() {
      const reply = await ask('GET', '/health');
      return reply.status === 200 ? agentHealthSchema.parse(JSON.parse(reply.text)) : refuse('tell its health', reply);
    },
    async find(jobId) {
      const reply = await ask('GET', `/jobs/${encodeURIComponent(jobId)}`);
      if (reply.status === 404) return undefined;
      return reply.status === 200 ? jobRecordSchema.parse(JSON.parse(reply.text)) : refuse('look a pod up', reply);
    },
    async submit(request) {
      const reply = await ask('POST', '/jobs', request);
      if (reply.status !== 202) refuse('start a pod', reply);
    },
    async cancel(jobId) {
      const reply = await ask('DELETE', `/jobs/${encodeURIComponent(jobId)}`);
      if (reply.status >= 300 && reply.status !== 404) refuse('stop a pod', reply);
    },
  };
}

/** Agents answer with a problem; anything else is shown by its beginning. */
function reasonIn(text: string): string {
  try {
    const rejected = rejectedSchema.pick({ error: true }).safeParse(JSON.parse(text));
    if (rejected.success) return rejected.data.error.message.slice(0, 500);
  } catch {
    // It is shown as it is.
  }
  return text.slice(0, 200);
}
