/**
 * The outcome of an invocation as an HTTP response. Pure: whatever a function answers becomes a response; what HTTP
 * cannot carry becomes a 500 whose `problem` the gateway logs.
 *
 * The forms are those of the official host. A worker's `http` value is a response with status, headers, cookies and
 * body; without a body it is itself the content, and its status and headers do not count. Any other value is the
 * content, unless it is a JSON object with a property `body`.
 */
import { isPlatformError } from '@switchyard/kernel';
import type { RpcHttp, RpcHttpCookie, TypedData } from '@switchyard/protocol';
import type { InvocationOutcome, LossReason } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { fromTypedData, isNothing } from '../typed-data.ts';
import { type Content, compactJson, contentOf, describeHttp, toContent, write } from './content.ts';
import type { HttpOutput, HttpReply } from './contract.ts';
import { ReplyHeaders } from './reply-headers.ts';
import { toResponseObject } from './response-object.ts';
import { toSetCookie } from './set-cookie.ts';

/** The name of the output that stands for the function's return value. */
const returnName = '$return';

const serverError = emptyReply(500);

/** What a caller gets when the function's answer is unknown. A timeout is a failure like any other. */
const lossReplies: Readonly<Record<LossReason, HttpReply>> = {
  'worker-lost': serverError,
  timeout: serverError,
  'no-worker': emptyReply(503),
  stopping: emptyReply(503),
  overloaded: { status: 429, headers: [['x-function-scaleout', '1']], body: '' },
};

/** Maps an outcome to the response of the function's HTTP output. Never throws for what a function did. */
export function toHttpReply(outcome: InvocationOutcome, output: HttpOutput): HttpReply {
  switch (outcome.kind) {
    case 'succeeded':
      try {
        return replyOf(outputValue(outcome, output.name), output);
      } catch (thrown) {
        if (isPlatformError(thrown)) return { ...serverError, problem: thrown };
        throw thrown;
      }
    case 'lost':
      return lossReplies[outcome.reason];
    case 'failed':
    case 'cancelled':
      return serverError;
  }
}

/** The value of the output. For `$return` the return value counts before an item of that name. */
function outputValue(
  outcome: Extract<InvocationOutcome, { kind: 'succeeded' }>,
  name: string | undefined,
): TypedData | undefined {
  if (name === undefined) return undefined;
  return (name === returnName ? outcome.returnValue : undefined) ?? outcome.outputs.get(name);
}

function replyOf(value: TypedData | undefined, output: HttpOutput): HttpReply {
  if (isNothing(value)) return emptyReply(output.name === returnName ? 204 : 200);
  const data = value?.data;
  if (data?.$case === 'http') return replyOfHttp(data.value, output);
  const given = data?.$case === 'string' ? readText(data.value) : fromTypedData(value);
  const response = toResponseObject(given);
  if (response === undefined) return compose(200, new ReplyHeaders(), contentOf(given), false, output);
  const isStructured = typeof response.body === 'object' && response.body !== null;
  const negotiate = response.enableContentNegotiation;
  const content = isStructured ? compactJson(response.body) : contentOf(response.body);
  const headers = toHeaders(response.headers, negotiate ? [] : response.cookies);
  return compose(parseStatus(response.status), headers, content, negotiate, output);
}

function replyOfHttp(http: RpcHttp, output: HttpOutput): HttpReply {
  if (http.body === undefined) {
    return compose(200, new ReplyHeaders(), compactJson(describeHttp(http)), false, output);
  }
  const negotiate = http.enableContentNegotiation;
  const headers = toHeaders(http.headers, negotiate ? [] : http.cookies);
  return compose(parseStatus(http.statusCode), headers, toContent(http.body), negotiate, output);
}

function toHeaders(
  given: Iterable<readonly [name: string, value: string]>,
  cookies: readonly RpcHttpCookie[],
): ReplyHeaders {
  const headers = new ReplyHeaders();
  for (const [name, value] of given) headers.add(name, value);
  for (const cookie of cookies) headers.add('set-cookie', toSetCookie(cookie));
  return headers;
}

function compose(
  status: number,
  headers: ReplyHeaders,
  content: Content,
  negotiate: boolean,
  output: HttpOutput,
): HttpReply {
  if (status < 200 || status > 999) throw triggerErrors.create('HTTP_REPLY_STATUS_INVALID', { status });
  if (negotiate && content.kind === 'nothing' && status === 200) {
    return { status: 204, headers: headers.toList(undefined, output.method), body: '' };
  }
  const written = write(content, headers.contentType, { enabled: negotiate, accept: output.accept ?? '' });
  return { status, headers: headers.toList(written.contentType, output.method), body: written.body };
}

/** The status in a worker's value; what is no whole number is 200. */
function parseStatus(status: unknown): number {
  const text = typeof status === 'number' ? String(status) : status;
  return typeof text === 'string' && /^\s*[+-]?\d{1,9}\s*$/.test(text) ? Number(text) : 200;
}

/** A text that is a JSON object, list or text counts as that, as the official host reads it; others stay. */
function readText(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function emptyReply(status: number): HttpReply {
  return { status, headers: [], body: '' };
}
