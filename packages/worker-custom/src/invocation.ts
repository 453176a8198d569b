/** One invocation: a request to the handler, and its answer as outputs. */
import type { Clock, PlatformError, Random } from '@switchyard/kernel';
import type { InvocationRequest, ParameterBinding, RpcHttp, TypedData } from '@switchyard/protocol';
import { parseReplyEnvelope } from './envelope/reply-envelope.ts';
import { toRequestEnvelope } from './envelope/request-envelope.ts';
import { customWorkerErrors } from './errors.ts';
import { toForwardedReply } from './forwarding/forwarded-reply.ts';
import { type AddedHeaders, toForwardedRequest } from './forwarding/forwarded-request.ts';
import type { HandlerClient, HandlerOutcome, HandlerRequest } from './handler/ports.ts';
import type { CustomWorkerLimits } from './limits.ts';
import type { LoadedFunction } from './loaded-function.ts';
import { quoteBody } from './quote-body.ts';

export interface InvocationDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly client: HandlerClient;
  readonly limits: CustomWorkerLimits;
}

export interface InvocationPlan {
  readonly called: LoadedFunction;
  readonly port: number;
  readonly hostVersion: string;
  /** Forward plain HTTP functions as they are. */
  readonly forwards: boolean;
  readonly functionTimeoutMs: number | undefined;
  /** Aborts when the host cancels the invocation. */
  readonly signal: AbortSignal;
}

export type InvocationEnd =
  | {
      readonly kind: 'succeeded';
      readonly outputData: ParameterBinding[];
      readonly returnValue: TypedData | undefined;
      readonly logs: readonly string[];
    }
  | { readonly kind: 'failed'; readonly error: PlatformError }
  | { readonly kind: 'cancelled'; readonly error: PlatformError }
  /** The connection broke: if the handler died, nobody knows how far it came. */
  | { readonly kind: 'broken'; readonly error: PlatformError };

/**
 * Runs an invocation. Never rejects for what the handler does.
 * @throws PlatformError CUSTOM_INPUT_UNSUPPORTED, CUSTOM_HANDLER_REQUEST_INVALID
 */
export async function runInvocation(
  deps: InvocationDeps,
  plan: InvocationPlan,
  request: InvocationRequest,
): Promise<InvocationEnd> {
  const http = plan.forwards && plan.called.isPlainHttp ? httpInputOf(request) : undefined;
  const outgoing = http === undefined ? toEnvelope(deps, plan, request) : forward(plan, request, http);
  const outcome = await sendWithin(deps, plan, outgoing);
  if (outcome.kind !== 'replied') return { kind: outcome.kind, error: outcome.error };
  const { called } = plan;
  const { reply } = outcome;
  const output = called.outputs[0];
  if (http !== undefined && output !== undefined) {
    return { kind: 'succeeded', ...place(output.name, toForwardedReply(reply)), logs: [] };
  }
  const { quotedLength } = deps.limits;
  if (reply.status < 200 || reply.status > 299) {
    const status = `${reply.status} ${reply.statusText}`.trim();
    const details = { functionName: called.name, status, body: quoteBody(reply, quotedLength) };
    return { kind: 'failed', error: customWorkerErrors.create('CUSTOM_HANDLER_STATUS', details) };
  }
  return { kind: 'succeeded', ...parseReplyEnvelope(reply, called, quotedLength) };
}

function httpInputOf({ inputData }: InvocationRequest): RpcHttp | undefined {
  const [input] = inputData;
  const data = input?.rpcData?.$case === 'data' ? input.rpcData.value.data : undefined;
  return data?.$case === 'http' ? data.value : undefined;
}

function place(name: string, value: TypedData): { outputData: ParameterBinding[]; returnValue: TypedData | undefined } {
  if (name === '$return') return { outputData: [], returnValue: value };
  return { outputData: [{ name, rpcData: { $case: 'data', value } }], returnValue: undefined };
}

function toEnvelope(
  { clock, random }: InvocationDeps,
  plan: InvocationPlan,
  request: InvocationRequest,
): HandlerRequest {
  const { userAgent, others } = addedHeaders(plan, request);
  const functionName = plan.called.name;
  const body = toRequestEnvelope(request, { functionName, timeMs: clock.now(), uuid: random.uuid() });
  return {
    port: plan.port,
    method: 'POST',
    path: `/${encodeURIComponent(functionName)}`,
    headers: [
      ['host', `127.0.0.1:${plan.port}`],
      ['content-type', 'application/json; charset=utf-8'],
      ['user-agent', userAgent],
      ...others,
    ],
    body: new TextEncoder().encode(body),
  };
}

function forward(plan: InvocationPlan, request: InvocationRequest, http: RpcHttp): HandlerRequest {
  return toForwardedRequest(http, plan.port, addedHeaders(plan, request), plan.called.name);
}

function addedHeaders(
  { hostVersion }: InvocationPlan,
  { invocationId, traceContext }: InvocationRequest,
): AddedHeaders {
  const { traceParent = '', traceState = '' } = traceContext ?? {};
  const others: [string, string][] = [
    ['X-Azure-Functions-InvocationId', invocationId],
    ['X-Azure-Functions-HostVersion', hostVersion],
  ];
  if (traceParent !== '') others.push(['traceparent', traceParent]);
  if (traceState !== '') others.push(['tracestate', traceState]);
  return { userAgent: `Azure-Functions-Host/${hostVersion}`, others };
}

type SendOutcome =
  | Extract<HandlerOutcome, { kind: 'replied' }>
  | { readonly kind: 'failed' | 'cancelled' | 'broken'; readonly error: PlatformError };

/** Sends the request; a handler that takes longer than it may is a failure. */
async function sendWithin(deps: InvocationDeps, plan: InvocationPlan, outgoing: HandlerRequest): Promise<SendOutcome> {
  const { clock, client, limits } = deps;
  const { called, functionTimeoutMs, signal } = plan;
  const functionName = called.name;
  const late = new AbortController();
  const timeoutMs = (functionTimeoutMs ?? 0) + limits.timeoutMarginMs;
  const timer = functionTimeoutMs === undefined ? undefined : clock.schedule(timeoutMs, () => late.abort());
  const outcome = await client.send(outgoing, AbortSignal.any([signal, late.signal]));
  timer?.cancel();
  const failed = (error: PlatformError): SendOutcome => ({ kind: 'failed', error });
  switch (outcome.kind) {
    case 'replied':
      return outcome;
    case 'aborted':
      if (signal.aborted) return { kind: 'cancelled', error: customWorkerErrors.create('CUSTOM_INVOCATION_CANCELLED') };
      return failed(customWorkerErrors.create('CUSTOM_HANDLER_TIMEOUT', { functionName, timeoutMs }));
    case 'too-long': {
      const { limitBytes } = outcome;
      return failed(customWorkerErrors.create('CUSTOM_HANDLER_REPLY_TOO_LONG', { functionName, limitBytes }));
    }
    case 'invalid': {
      const { reason } = outcome;
      return failed(customWorkerErrors.create('CUSTOM_HANDLER_REQUEST_INVALID', { functionName, reason }));
    }
    case 'unreachable': {
      const { reason } = outcome;
      const error = customWorkerErrors.create('CUSTOM_HANDLER_UNREACHABLE', { functionName, reason });
      return { kind: 'broken', error };
    }
  }
}
