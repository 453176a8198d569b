/**
 * gRPC statuses on HTTP/2: header values, reset codes, HTTP statuses.
 * Source: the gRPC over HTTP/2 protocol page (grpc/grpc, doc/PROTOCOL-HTTP2.md and doc/http-grpc-status-mapping.md).
 */
import { constants } from 'node:http2';
import { grpcStatus, type LinkStatus } from '../link.ts';

/** A status message is cut here, so that a trailer always fits a peer's header limit. */
export const maxStatusMessageCharacters = 2048;

/** The characters that may stand unescaped in `grpc-message`: printable ASCII without the percent sign. */
const escaped = /[^\x20-\x24\x26-\x7e]/;

/** `grpc-message` for any text: UTF-8, percent-encoded. */
export function encodeStatusMessage(message: string): string {
  const text =
    message.length > maxStatusMessageCharacters ? `${message.slice(0, maxStatusMessageCharacters)}...` : message;
  if (!escaped.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The text of a `grpc-message`. Broken escapes stay as they are: a status must never be lost to its message. */
export function decodeStatusMessage(value: string): string {
  if (!value.includes('%')) return value;
  const bytes: number[] = [];
  for (let at = 0; at < value.length; at += 1) {
    const hex = value.slice(at + 1, at + 3);
    if (value[at] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else bytes.push(value.charCodeAt(at) & 0xff);
  }
  return Buffer.from(bytes).toString('utf8');
}

/** The trailers that carry `status`. */
export function toTrailers(status: LinkStatus): Record<string, string> {
  const trailers: Record<string, string> = { 'grpc-status': String(status.code) };
  if (status.message !== '') trailers['grpc-message'] = encodeStatusMessage(status.message);
  return trailers;
}

/** The status in a block of trailers, or undefined when there is none. A code out of range counts as UNKNOWN. */
export function fromTrailers(headers: Readonly<Record<string, unknown>>): LinkStatus | undefined {
  const value = headers['grpc-status'];
  if (typeof value !== 'string') return undefined;
  const text = headers['grpc-message'];
  const message = typeof text === 'string' ? decodeStatusMessage(text) : '';
  const code = /^\d{1,2}$/.test(value) ? Number(value) : -1;
  if (code >= 0 && code <= grpcStatus.unauthenticated) return { code, message };
  return {
    code: grpcStatus.unknown,
    message: `the peer sent grpc-status '${value}', which is no gRPC code: ${message}`,
  };
}

/** What an HTTP status other than 200, without a gRPC status, means. */
export function fromHttpStatus(status: number): LinkStatus {
  const code = httpStatusCodes.get(status) ?? grpcStatus.unknown;
  return { code, message: `the server answered HTTP ${status} instead of a gRPC response` };
}

/** What the reset of a stream means. */
export function fromResetCode(reset: number): LinkStatus {
  const code = resetCodes.get(reset) ?? grpcStatus.unknown;
  return { code, message: `the peer reset the stream with HTTP/2 code ${reset} (${resetName(reset)})` };
}

/** The HTTP/2 code to reset a stream with when `status` cannot be sent in trailers. */
export function toResetCode(status: LinkStatus): number {
  if (status.code === grpcStatus.ok) return constants.NGHTTP2_NO_ERROR;
  if (status.code === grpcStatus.internal) return constants.NGHTTP2_INTERNAL_ERROR;
  if (status.code === grpcStatus.resourceExhausted) return constants.NGHTTP2_ENHANCE_YOUR_CALM;
  return constants.NGHTTP2_CANCEL;
}

const httpStatusCodes: ReadonlyMap<number, number> = new Map([
  [400, grpcStatus.internal],
  [401, grpcStatus.unauthenticated],
  [403, grpcStatus.permissionDenied],
  [404, grpcStatus.unimplemented],
  [429, grpcStatus.unavailable],
  [502, grpcStatus.unavailable],
  [503, grpcStatus.unavailable],
  [504, grpcStatus.unavailable],
]);

const resetCodes: ReadonlyMap<number, number> = new Map([
  [constants.NGHTTP2_NO_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_PROTOCOL_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_INTERNAL_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_SETTINGS_TIMEOUT, grpcStatus.internal],
  [constants.NGHTTP2_STREAM_CLOSED, grpcStatus.internal],
  [constants.NGHTTP2_FRAME_SIZE_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_REFUSED_STREAM, grpcStatus.unavailable],
  [constants.NGHTTP2_CANCEL, grpcStatus.cancelled],
  [constants.NGHTTP2_COMPRESSION_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_CONNECT_ERROR, grpcStatus.internal],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, grpcStatus.resourceExhausted],
  [constants.NGHTTP2_INADEQUATE_SECURITY, grpcStatus.permissionDenied],
]);

function resetName(reset: number): string {
  return resetNames[reset] ?? 'unknown';
}

const resetNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];
