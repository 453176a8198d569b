/** Speaks the job API of one agent. Methods reject with JOB_REJECTED, AGENT_JOB_UNKNOWN, AGENT_UNREACHABLE or AGENT_ANSWER_UNEXPECTED. */
import type { Readable } from 'node:stream';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import {
  type Cancellation,
  cancellationSchema,
  type JobList,
  type JobLogEvent,
  type JobRecord,
  type JobRequestInput,
  jobListSchema,
  jobNotFoundSchema,
  jobRecordSchema,
  parseJobLogEvent,
  readEvents,
  refusalSchema,
  rejectedSchema,
} from '@switchyard/protocol/job-api';
import { exchange, type HttpAnswer, readBody } from '../../control/http-exchange.ts';
import type { AgentEndpoint } from './agent-endpoint.ts';
import { jobErrors } from './errors.ts';

/** Larger than a record with the most output that an agent keeps by default. */
const maxAnswerBytes = 64 * 1024 * 1024;

interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly jobId?: string;
  readonly signal: AbortSignal;
}

export class JobClient {
  readonly #endpoint: AgentEndpoint;

  constructor(endpoint: AgentEndpoint) {
    this.#endpoint = endpoint;
  }

  async submit(body: JobRequestInput, signal: AbortSignal): Promise<void> {
    await this.#send({ method: 'POST', path: '/jobs', body, signal });
  }

  /** Looks a job up; with `waitSeconds`, once it has ended or after that time. */
  async look(jobId: string, waitSeconds: number, signal: AbortSignal): Promise<JobRecord> {
    const path = `${pathOf(jobId)}?wait_seconds=${waitSeconds}`;
    return jobRecordSchema.parse(await this.#send({ method: 'GET', path, jobId, signal }));
  }

  async list(query: URLSearchParams, signal: AbortSignal): Promise<JobList> {
    return jobListSchema.parse(await this.#send({ method: 'GET', path: `/jobs?${query}`, signal }));
  }

  async cancel(jobId: string, signal: AbortSignal): Promise<Cancellation> {
    return cancellationSchema.parse(await this.#send({ method: 'DELETE', path: pathOf(jobId), jobId, signal }));
  }

  /** What a job prints; the last event is `ended`, unless the connection broke or `follow` is false. */
  async *follow(jobId: string, follow: boolean, signal: AbortSignal): AsyncGenerator<JobLogEvent> {
    const asked: Asked = { method: 'GET', path: `${pathOf(jobId)}/logs?follow=${follow}`, jobId, signal };
    const answer = await this.#open(asked);
    try {
      for await (const { name, data } of readEvents(answer.body)) {
        const event = parseJobLogEvent(name, data);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      throw this.#unreachable(error, signal);
    } finally {
      answer.body.destroy();
    }
  }

  async #send(asked: Asked): Promise<unknown> {
    const answer = await this.#open(asked);
    try {
      return JSON.parse((await readBody(answer.body, maxAnswerBytes)).toString('utf8'));
    } catch (error) {
      throw this.#unexpected(asked, answer, messageOf(error));
    }
  }

  /** An answer that is a success; any other is thrown as what it says. */
  async #open(asked: Asked): Promise<HttpAnswer> {
    const { url, token, authority: ca } = this.#endpoint;
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const sent = asked.body === undefined ? {} : { body: Buffer.from(JSON.stringify(asked.body)) };
    const { method, path, signal } = asked;
    const answer = await exchange({
      method,
      url: new URL(path, url),
      headers,
      signal,
      ...sent,
      ...(ca === undefined ? {} : { ca }),
    }).catch((error: unknown) => {
      throw this.#unreachable(error, signal);
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw await this.#refusal(asked, answer);
  }

  async #refusal(asked: Asked, answer: HttpAnswer): Promise<Error> {
    const value = await readJson(answer.body);
    const rejected = rejectedSchema.safeParse(value);
    if (rejected.success) {
      const { code, message } = rejected.data.error;
      return jobErrors.create('JOB_REJECTED', { code, reason: message });
    }
    const missing = jobNotFoundSchema.safeParse(value);
    if (missing.success)
      return jobErrors.create('AGENT_JOB_UNKNOWN', {
        jobId: asked.jobId ?? '',
        endpoint: this.#endpoint.url.origin,
        reason: missing.data.error.message,
      });
    const refusal = refusalSchema.safeParse(value);
    return this.#unexpected(asked, answer, refusal.success ? refusal.data.error.message : 'this is no job API.');
  }

  #unexpected({ method, path }: Asked, { status }: HttpAnswer, reason: string): Error {
    const operation = `${method} ${path.split('?')[0]}`;
    return jobErrors.create('AGENT_ANSWER_UNEXPECTED', {
      endpoint: this.#endpoint.url.origin,
      operation,
      status,
      reason,
    });
  }

  #unreachable(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (isPlatformError(error)) return error;
    return jobErrors.create(
      'AGENT_UNREACHABLE',
      { endpoint: this.#endpoint.url.origin, reason: messageOf(error) },
      error,
    );
  }
}

function pathOf(jobId: string): string {
  return `/jobs/${encodeURIComponent(jobId)}`;
}

async function readJson(body: Readable): Promise<unknown> {
  try {
    return JSON.parse((await readBody(body, maxAnswerBytes)).toString('utf8'));
  } catch {
    return undefined;
  }
}
