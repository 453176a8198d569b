/**
 * The two ends of a gRPC stream on HTTP/2: the opener sends request headers and learns the status from trailers; the
 * acceptor sends response headers and the status in trailers.
 */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Clock } from '@switchyard/kernel';
import { grpcStatus, type LinkEnd, type LinkStatus } from '../link.ts';
import type { Http2Link, LinkSide } from './http2-link.ts';
import { fromHttpStatus, fromResetCode, fromTrailers, toResetCode, toTrailers } from './wire-status.ts';

/** What a side knows of its connection. */
export interface Carrier {
  /** Why the connection is gone; undefined while it lives. `error` is what its streams were told. */
  lost(error: Error | undefined): LinkStatus | undefined;
}

export const grpcContentType = 'application/grpc';

/** The side of the client. */
export function createOpenerSide(stream: ClientHttp2Stream, carrier: Carrier, link: Http2Link): LinkSide {
  let final: LinkEnd | undefined;
  const settle = (status: LinkStatus | undefined): void => {
    if (!status || final) return;
    final = { ...status, origin: 'peer' };
    link.settle();
    // The call is over: half of a stream is of no use. Servers take many resets for an attack, so that it is ended rather
    // than reset, unless bytes are stuck in it.
    if (stream.writableEnded) return;
    if (stream.writableLength === 0) stream.end();
    else stream.close(constants.NGHTTP2_NO_ERROR);
  };
  stream.on('response', (headers) => {
    const broken = checkResponse(headers);
    if (broken) link.cancel(broken);
    else settle(fromTrailers(headers));
  });
  stream.on('trailers', (trailers) => settle(fromTrailers(trailers)));
  return {
    begin: () => {},
    finish: () => stream.end(),
    abort: () => stream.close(constants.NGHTTP2_CANCEL),
    orderlyEnd: () => final,
    endAtClose: (error) => lostEnd(carrier, error) ?? { ...fromClose(stream.rstCode), origin: 'peer' },
  };
}

export interface AcceptorSide extends LinkSide {
  /** Sends the response headers, when nothing has gone out yet. */
  begin(): void;
}

/** The side of the server. */
export function createAcceptorSide(
  stream: ServerHttp2Stream,
  carrier: Carrier,
  clock: Clock,
  lingerMs: number,
): AcceptorSide {
  let final: LinkStatus | undefined;
  const begin = (): void => {
    if (stream.headersSent || stream.destroyed || stream.closed) return;
    stream.respond(responseHeaders(), { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers(toTrailers(final ?? unfinished));
      closeSoon(stream);
    });
  };
  const finish = (status: LinkStatus): void => {
    final = status;
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) stream.end();
    else refuse(stream, status);
  };
  return {
    begin,
    finish,
    abort: (status) => {
      finish(status);
      if (stream.destroyed) return;
      const timer = clock.schedule(lingerMs, () => stream.close(toResetCode(status)));
      stream.once('close', () => timer.cancel());
    },
    orderlyEnd: () => undefined,
    endAtClose: (error) => {
      if (final && stream.rstCode === constants.NGHTTP2_NO_ERROR) return { ...final, origin: 'local' };
      return lostEnd(carrier, error) ?? { ...fromResetCode(stream.rstCode), origin: 'peer' };
    },
  };
}

/** The answer of a server that cannot or will not open the stream: headers and status in one block. */
export function refuse(stream: ServerHttp2Stream, status: LinkStatus): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ...responseHeaders(), ...toTrailers(status) }, { endStream: true });
  closeSoon(stream);
}

/**
 * Asks a client that may still be sending to stop: the answer is complete. A stream that is closed in the turn in which
 * its last headers were given to node:http2 may lose them.
 */
export function closeSoon(stream: ServerHttp2Stream): void {
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}

const unfinished: LinkStatus = { code: grpcStatus.unknown, message: 'the stream ended without a status' };

function responseHeaders(): Record<string, string | number> {
  return { ':status': 200, 'content-type': grpcContentType, 'grpc-accept-encoding': 'identity' };
}

function checkResponse(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): LinkStatus | undefined {
  const status = headers[':status'] ?? 0;
  if (status !== 200) return fromTrailers(headers) ?? fromHttpStatus(status);
  const type = headers['content-type'] ?? '';
  if (isGrpcContentType(type)) return undefined;
  return { code: grpcStatus.unknown, message: `the server answered with content-type '${type}' instead of gRPC` };
}

/** Tells `application/grpc`, also with a codec (`+proto`) or parameters. */
export function isGrpcContentType(value: string): boolean {
  return /^application\/grpc(?:$|[+;\s])/i.test(value);
}

function lostEnd(carrier: Carrier, error: Error | undefined): LinkEnd | undefined {
  const lost = carrier.lost(error);
  return lost && { ...lost, origin: 'transport' };
}

function fromClose(reset: number): LinkStatus {
  if (reset !== constants.NGHTTP2_NO_ERROR) return fromResetCode(reset);
  return { code: grpcStatus.internal, message: 'the server ended the stream without a gRPC status' };
}
