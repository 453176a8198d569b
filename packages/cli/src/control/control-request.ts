/** One request to the control API and its whole answer, understood or turned into an error of the command. */
import { type Clock, isPlatformError } from '@switchyard/kernel';
import { problemSchema } from '@switchyard/protocol/control-api';
import type { z } from 'zod';
import type { ControlEndpoint } from './endpoint.ts';
import { controlErrors } from './errors.ts';
import { exchange, type HttpAnswer, type HttpBody, readBody } from './http-exchange.ts';
import { controlLimits } from './limits.ts';
import { toProblemError, unreachable } from './problem-error.ts';

/** What requests go through. */
export interface ControlLink {
  readonly clock: Clock;
  readonly endpoint: ControlEndpoint;
}

export interface ControlRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly body?: HttpBody;
  /** The content type of the body. */
  readonly type?: string;
  readonly accept?: string;
}

/** The whole answer to a request, understood by a schema. Throws what the API complains of, or why there is no answer. */
export async function ask<T>(
  link: ControlLink,
  request: ControlRequest,
  schema: z.ZodType<T>,
  timeoutMs: number,
): Promise<T> {
  return understand(link, request, schema, parseJson(link, request, await askBytes(link, request, timeoutMs)));
}

/** The same for an answer that nobody reads. */
export async function askBytes(link: ControlLink, request: ControlRequest, timeoutMs: number): Promise<Buffer> {
  const { clock, endpoint } = link;
  const deadline = new AbortController();
  const timer = clock.schedule(timeoutMs, () => deadline.abort(late(link, request, timeoutMs)));
  const signal = AbortSignal.any([request.signal, deadline.signal]);
  try {
    const answer = await send(endpoint, { ...request, signal });
    if (answer.status < 200 || answer.status > 299) throw await toError(link, request, answer);
    return await readAnswer(link, request, answer);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isPlatformError(error) ? error : unreachable(endpoint.url, error);
  } finally {
    timer.cancel();
  }
}

/** The head of an answer. Rejects with the error of the socket. */
export function send(endpoint: ControlEndpoint, request: ControlRequest): Promise<HttpAnswer> {
  const { method, path, body, type, accept = 'application/json', signal } = request;
  const headers = {
    accept,
    authorization: `Bearer ${endpoint.token.reveal()}`,
    ...(type === undefined ? {} : { 'content-type': type }),
  };
  const url = new URL(path, endpoint.url);
  const { authority: ca } = endpoint;
  return exchange({
    method,
    url,
    headers,
    signal,
    ...(ca === undefined ? {} : { ca }),
    ...(body === undefined ? {} : { body }),
  });
}

/** What an answer that is no success says. */
export async function toError(link: ControlLink, request: ControlRequest, answer: HttpAnswer): Promise<Error> {
  const { status } = answer;
  const bytes = await readAnswer(link, request, answer);
  const problem = problemSchema.safeParse(tryJson(bytes));
  if (problem.success) return toProblemError(problem.data, status);
  return unexpected(link, request, `it has status ${status} and does not say why`);
}

/** A value as a schema has it; CONTROL_ANSWER_UNEXPECTED names the place that differs. */
export function understand<T>(link: ControlLink, request: ControlRequest, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  throw unexpected(link, request, `${place}${issue?.message ?? 'it differs'}`);
}

export function unexpected({ endpoint }: ControlLink, request: ControlRequest, reason: string): Error {
  const details = { endpoint: endpoint.url.origin, operation: operationOf(request), reason };
  return controlErrors.create('CONTROL_ANSWER_UNEXPECTED', details);
}

export function late({ endpoint }: ControlLink, request: ControlRequest, timeoutMs: number): Error {
  const details = { endpoint: endpoint.url.origin, operation: operationOf(request), seconds: timeoutMs / 1_000 };
  return controlErrors.create('CONTROL_LATE', details);
}

async function readAnswer(link: ControlLink, request: ControlRequest, { body }: HttpAnswer): Promise<Buffer> {
  try {
    return await readBody(body, controlLimits.maxAnswerBytes);
  } catch (error) {
    throw error instanceof RangeError ? unexpected(link, request, error.message) : error;
  }
}

function parseJson(link: ControlLink, request: ControlRequest, bytes: Buffer): unknown {
  const value = tryJson(bytes);
  if (value === undefined) throw unexpected(link, request, 'it is not JSON');
  return value;
}

/** Undefined, which no JSON is, when the bytes are none. */
function tryJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function operationOf({ method, path }: ControlRequest): string {
  return `${method} ${path.split('?')[0]}`;
}
