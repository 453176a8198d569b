import { isPlatformError, messageOf } from '@switchyard/kernel';
import { eventStreamType, readEvents } from '@switchyard/protocol/control-api';
import type { z } from 'zod';
import {
  type ControlLink,
  type ControlRequest,
  late,
  send,
  toError,
  understand,
  unexpected,
} from './control-request.ts';
import { controlLimits } from './limits.ts';
import { unreachable } from './problem-error.ts';

/** A stream that broke after it had begun: what it would have told may still be had by asking again. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** An event as its schema has it. */
export interface UnderstoodEvent {
  readonly name: string;
  readonly data: unknown;
}

/**
 * The events of one connection; those without a schema belong to a later version and are passed over. Ends when the
 * stream does. Throws what the API complains of, why there is no answer, the signal's reason, or a ConnectionLost.
 */
export async function* readConnection(
  link: ControlLink,
  asked: ControlRequest,
  schemas: ReadonlyMap<string, z.ZodType>,
): AsyncGenerator<UnderstoodEvent, void, undefined> {
  const { clock, endpoint } = link;
  const cut = new AbortController();
  const signal = AbortSignal.any([asked.signal, cut.signal]);
  const request = { ...asked, accept: eventStreamType, signal };
  const { answerMs, silenceMs } = controlLimits;
  let timer = clock.schedule(answerMs, () => cut.abort(late(link, request, answerMs)));
  let hasBegun = false;
  try {
    const { status, headers, body } = await send(endpoint, request);
    if (status !== 200) throw await toError(link, request, { status, headers, body });
    if (!(headers['content-type'] ?? '').startsWith(eventStreamType)) {
      body.destroy();
      throw unexpected(link, request, 'it is no stream of events');
    }
    hasBegun = true;
    for await (const { name, data } of readEvents(watched(body))) {
      const schema = schemas.get(name);
      if (schema !== undefined) yield { name, data: understand(link, request, schema, data) };
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isPlatformError(error)) throw error;
    if (error instanceof SyntaxError || error instanceof RangeError) throw unexpected(link, request, error.message);
    throw hasBegun ? new ConnectionLost(messageOf(error), { cause: error }) : unreachable(endpoint.url, error);
  } finally {
    timer.cancel();
    // Who has read enough leaves the stream open behind it.
    cut.abort(new ConnectionLost('nobody reads any more'));
  }

  /** Passes bytes on; a stream that is silent for too long is cut. */
  async function* watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const watch = () => {
      timer.cancel();
      const lost = new ConnectionLost(`nothing came for ${silenceMs / 1_000} s`);
      timer = clock.schedule(silenceMs, () => cut.abort(lost));
    };
    watch();
    for await (const chunk of body) {
      timer.cancel();
      yield chunk;
      watch();
    }
  }
}
