import { type IncomingHttpHeaders, request as openRequest } from 'node:http';
import type { Clock } from '@switchyard/kernel';
import type { InvokeAnswer, InvokeRequest } from '@switchyard/protocol/control-api';
import type { FunctionStatus } from '@switchyard/runtime';
import { standaloneErrors } from '../../errors.ts';

export interface InvokeTarget {
  readonly applicationId: string;
  readonly function: FunctionStatus;
  /** Where the gateway listens. */
  readonly host: string;
  readonly port: number;
  /** A key that opens every function of the app. */
  readonly key: string | undefined;
}

/** An answer that is longer is cut off by an error. */
const maxAnswerBytes = 8 * 1024 * 1024;

/**
 * Calls a function as a caller from outside would, through the gateway: an HTTP function by its route, any other by the
 * admin endpoint that the official host has for that.
 * @throws PlatformError INVOKE_PATH_NEEDED, INVOKE_ANSWER_TOO_LONG, INVOKE_FAILED
 */
export async function invokeFunction(
  clock: Pick<Clock, 'monotonic'>,
  target: InvokeTarget,
  request: InvokeRequest,
  signal: AbortSignal,
): Promise<InvokeAnswer> {
  const call = target.function.route === undefined ? toAdminCall(target, request) : toHttpCall(target, request);
  const beganMs = clock.monotonic();
  const answer = await send(target, call, signal);
  return { ...answer, durationMs: clock.monotonic() - beganMs };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** Parameters at the end of a route that may be left out. */
const optionalEnd = /(?:\/?\{(?:\*[^{}]*|[^{}]*\?)\})+$/;

function toHttpCall({ applicationId, function: called }: InvokeTarget, request: InvokeRequest): Call {
  const { template = '', methods = [] } = called.route ?? {};
  const body = bodyOf(request);
  const preferred = body === undefined ? 'GET' : 'POST';
  const method = request.method ?? (methods.length === 0 || methods.includes(preferred) ? preferred : methods[0]);
  const path = `/${template.replace(optionalEnd, '')}`;
  if (request.path === undefined && path.includes('{')) {
    const route = `/${template}`;
    throw standaloneErrors.create('INVOKE_PATH_NEEDED', { applicationId, functionName: called.name, route });
  }
  return { method: method ?? preferred, path: request.path ?? path, headers: request.headers ?? {}, body };
}

function toAdminCall({ function: called }: InvokeTarget, request: InvokeRequest): Call {
  const input = bodyOf(request)?.toString('utf8') ?? '';
  return {
    method: 'POST',
    path: `/admin/functions/${called.name}`,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ input })),
  };
}

function bodyOf({ input, encoding }: InvokeRequest): Buffer | undefined {
  return input === undefined ? undefined : Buffer.from(input, encoding ?? 'utf8');
}

function send(
  { applicationId, host, port, key }: InvokeTarget,
  { method, path, headers, body }: Call,
  signal: AbortSignal,
): Promise<Omit<InvokeAnswer, 'durationMs'>> {
  const failed = (reason: string): Error => standaloneErrors.create('INVOKE_FAILED', { applicationId, reason });
  return new Promise((resolve, reject) => {
    const sent = openRequest(
      {
        host,
        port,
        method,
        path,
        signal,
        headers: {
          ...headers,
          host: `${applicationId}.localhost:${port}`,
          ...(key === undefined ? {} : { 'x-functions-key': key }),
          ...(body === undefined ? {} : { 'content-length': String(body.length) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        response.on('data', (chunk: Buffer) => {
          sizeBytes += chunk.length;
          chunks.push(chunk);
          if (sizeBytes <= maxAnswerBytes) return;
          response.destroy();
          reject(standaloneErrors.create('INVOKE_ANSWER_TOO_LONG', { applicationId, limitBytes: maxAnswerBytes }));
        });
        response.on('error', (error) => reject(failed(error.message)));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: flat(response.headers),
            ...toText(Buffer.concat(chunks)),
          });
        });
      },
    );
    sent.on('error', (error) => reject(failed(error.message)));
    sent.end(body);
  });
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function toText(bytes: Buffer): Pick<InvokeAnswer, 'body' | 'encoding'> {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes)
    ? { body: text, encoding: 'utf8' }
    : { body: bytes.toString('base64'), encoding: 'base64' };
}
