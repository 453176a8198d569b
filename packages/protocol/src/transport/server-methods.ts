import type { IncomingHttpHeaders } from 'node:http2';
import { grpcStatus, type Link, type LinkStatus } from '../link.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';
import { isGrpcContentType } from './link-sides.ts';
import type { UnaryCall } from './unary.ts';

/** A method with messages in both directions for as long as it lasts. */
export interface StreamMethod {
  readonly kind: 'stream';
  /** Takes the link over. Cancelling it before returning refuses the stream with that status. */
  open(link: Link): void;
}

/** A method with one message each way. */
export interface UnaryMethod {
  readonly kind: 'unary';
  readonly call: UnaryCall;
}

export type RpcMethod = StreamMethod | UnaryMethod;

/** What becomes of a request, decided by its headers alone. */
export type Admission =
  | {
      readonly kind: 'admitted';
      readonly method: RpcMethod;
      readonly timeoutMs: number | undefined;
      readonly onCompressed: LinkStatus;
    }
  /** Not gRPC at all: a bare HTTP status. */
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'refused'; readonly status: LinkStatus };

/** Decides about one request. The header limit is announced to peers, but node:http2 does not hold them to it. */
export function admit(
  headers: IncomingHttpHeaders,
  methods: ReadonlyMap<string, RpcMethod>,
  maxHeaderListBytes: number,
): Admission {
  if (headers[':method'] !== 'POST') return { kind: 'http', status: 405 };
  if (!isGrpcContentType(headers['content-type'] ?? '')) return { kind: 'http', status: 415 };
  const sizeBytes = headerListBytes(headers);
  if (sizeBytes > maxHeaderListBytes) {
    const message = `the request headers take ${sizeBytes} bytes, more than the limit of ${maxHeaderListBytes}`;
    return refused(grpcStatus.resourceExhausted, message);
  }
  const path = headers[':path'] ?? '';
  const method = methods.get(path);
  if (!method) return refused(grpcStatus.unimplemented, `this server has no method ${path.slice(0, 200)}`);
  const timeout = headers['grpc-timeout'];
  const timeoutMs = typeof timeout === 'string' ? parseGrpcTimeout(timeout) : undefined;
  if (timeout !== undefined && timeoutMs === undefined) {
    return refused(
      grpcStatus.internal,
      `grpc-timeout '${String(timeout).slice(0, 40)}' is malformed; write digits and a unit, like 500m`,
    );
  }
  return { kind: 'admitted', method, timeoutMs, onCompressed: onCompressed(headers['grpc-encoding']) };
}

/** As HTTP/2 counts (RFC 9113, section 6.5.2): names, values, and 32 bytes each. */
function headerListBytes(headers: IncomingHttpHeaders): number {
  let sizeBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value].flat()) sizeBytes += name.length + (each?.length ?? 0) + 32;
  }
  return sizeBytes;
}

function refused(code: number, message: string): Admission {
  return { kind: 'refused', status: { code, message } };
}

/** Source: grpc/grpc, doc/compression.md: no encoding announced is INTERNAL, one that is not supported UNIMPLEMENTED. */
function onCompressed(encoding: string | string[] | undefined): LinkStatus {
  if (encoding === undefined || encoding === 'identity') {
    return {
      code: grpcStatus.internal,
      message: 'a message is marked as compressed, but no grpc-encoding was announced',
    };
  }
  return {
    code: grpcStatus.unimplemented,
    message: `messages compressed with '${String(encoding).slice(0, 40)}' are not supported; send identity`,
  };
}
