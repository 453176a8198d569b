/** Reads the JSON of a request, with limits of size, time and depth. */
import type { IncomingMessage } from 'node:http';
import { type Clock, createDeferred } from '@switchyard/kernel';
import { bodyMs, maxBodyDepth, maxUnreadBytes } from './limits.ts';

/** `problem` says what is wrong with the body, and what to do. */
export type BodyReading =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'unusable'; readonly problem: string };

/** Never rejects but for a connection that broke. */
export async function readJsonBody(clock: Clock, request: IncomingMessage, maxBytes: number): Promise<BodyReading> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    return unusable(`The body is packed (Content-Encoding: ${encoding.slice(0, 40)}). Send it as it is.`);
  const late = createDeferred<'late'>();
  const timer = clock.schedule(bodyMs, () => late.resolve('late'));
  const collected = collect(request, maxBytes);
  collected.catch(() => {});
  try {
    const body = await Promise.race([collected, late.promise]);
    if (body === 'late') return unusable(`The body did not arrive within ${bodyMs / 1_000} s. Send it at once.`);
    if (body === undefined)
      return unusable(
        `The body is larger than ${maxBytes} bytes (limits.body_kb). Send less, or put it where the job fetches it.`,
      );
    return parse(body);
  } finally {
    timer.cancel();
  }
}

/** Reads what is left of a body and forgets it: a connection that is closed at once would swallow the answer. */
export function dropBody(clock: Clock, request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let sizeBytes = 0;
  const timer = clock.schedule(bodyMs, () => request.destroy());
  request.once('close', () => timer.cancel());
  request.on('data', (chunk: Uint8Array) => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxUnreadBytes) request.destroy();
  });
  request.resume();
}

/** Undefined for a body that is too large; what is left of it is not read. */
function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const result = createDeferred<Buffer | undefined>();
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve(undefined);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const take = (chunk: Buffer): void => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes <= maxBytes) chunks.push(chunk);
    else {
      request.off('data', take).pause();
      result.resolve(undefined);
    }
  };
  request.on('data', take);
  request.once('end', () => result.resolve(Buffer.concat(chunks)));
  request.once('error', (error) => result.reject(error));
  request.once('close', () => result.reject(new Error('the connection ended before the body did')));
  return result.promise;
}

function parse(body: Buffer): BodyReading {
  if (body.byteLength === 0) return unusable('The body is empty. Send a job as JSON.');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return unusable('The body is no UTF-8. Send JSON in UTF-8.');
  }
  if (depthOf(text) > maxBodyDepth)
    return unusable(
      `The body holds objects or lists more than ${maxBodyDepth} deep. Send a flatter one, or the payload as a text.`,
    );
  try {
    return { kind: 'read', value: JSON.parse(text) };
  } catch (error) {
    return unusable(
      `The body is no JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read'}.`,
    );
  }
}

/** How deep brackets nest outside of strings. Cheap, and safe for a text of any depth, which parsing is not. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

function unusable(problem: string): BodyReading {
  return { kind: 'unusable', problem };
}
