/** Bodies of requests, with limits of size and patience. */
import type { IncomingMessage } from 'node:http';
import { type Clock, createDeferred } from '@switchyard/kernel';
import { packageType } from '@switchyard/protocol/control-api';
import { controlErrors } from '../errors.ts';
import { bodyIdleMs, maxJsonBytes } from './limits.ts';
import { RequestRefused, refuseRequest } from './problem.ts';

type BodySource = Pick<IncomingMessage, 'headers' | 'iterator'>;

/**
 * The value of a JSON body; an empty body is an empty object.
 * @throws RequestRefused CONTROL_BODY_TYPE, CONTROL_BODY_TOO_LARGE, CONTROL_BODY_SLOW, CONTROL_INPUT_INVALID
 */
export async function readJsonBody(clock: Clock, request: BodySource): Promise<unknown> {
  const type = mediaTypeOf(request);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of patientBytes(clock, request)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxJsonBytes) refuseRequest('CONTROL_BODY_TOO_LARGE', { limitBytes: maxJsonBytes });
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return {};
  if (type !== 'application/json') refuseRequest('CONTROL_BODY_TYPE', { type, expected: 'application/json' });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)), refusePrototype);
  } catch (thrown) {
    if (thrown instanceof RequestRefused) throw thrown;
    return refuseRequest('CONTROL_INPUT_INVALID', { where: 'body', at: '', reason: 'it is no JSON in UTF-8' });
  }
}

/** Nothing of ours has a member of that name, and many a library would take it for the prototype or drop it unseen. */
function refusePrototype(key: string, value: unknown): unknown {
  if (key !== '__proto__') return value;
  return refuseRequest('CONTROL_INPUT_INVALID', {
    where: 'body',
    at: '',
    reason: "no member may be named '__proto__'",
  });
}

/** The bytes of a package as they come. @throws RequestRefused CONTROL_BODY_TYPE, CONTROL_BODY_SLOW */
export function readPackageBody(clock: Clock, request: BodySource): AsyncIterable<Uint8Array> {
  const type = mediaTypeOf(request);
  if (!['', packageType, 'application/octet-stream'].includes(type)) {
    refuseRequest('CONTROL_BODY_TYPE', { type, expected: packageType });
  }
  return patientBytes(clock, request);
}

/** Ends with an error when nothing comes for too long. */
async function* patientBytes(clock: Clock, source: BodySource): AsyncGenerator<Uint8Array, void, undefined> {
  // Whoever stops reading wants to answer still, on the same socket.
  const iterator: AsyncIterator<Uint8Array> = source.iterator({ destroyOnReturn: false });
  let isOver = false;
  try {
    for (;;) {
      const tooLate = createDeferred<never>();
      const timer = clock.schedule(bodyIdleMs, () => {
        tooLate.reject(new RequestRefused(controlErrors.create('CONTROL_BODY_SLOW', { limitMs: bodyIdleMs })));
      });
      try {
        const next = await Promise.race([iterator.next(), tooLate.promise]);
        isOver = next.done === true;
        if (next.done) return;
        yield next.value;
      } finally {
        timer.cancel();
      }
    }
  } finally {
    // A source that is stuck in `next` would not answer `return` either, so nobody waits for it.
    if (!isOver) void iterator.return?.();
  }
}

/** In lower case, without parameters; empty when there is none. */
function mediaTypeOf(request: Pick<IncomingMessage, 'headers'>): string {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  return type.trim().toLowerCase().slice(0, 100);
}
