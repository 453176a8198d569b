/**
 * HTTP/2 by hand, for peers that break its rules or ours: frames are written as bytes over a plain socket.
 * Source of the numbers: RFC 9113 (frames) and RFC 7541 (header blocks).
 */
import { connect, type Socket } from 'node:net';

export const frameType = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
export const endStream = 0x1;
export const endHeaders = 0x4;
export const acknowledged = 0x1;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** One HTTP/2 frame as it arrived. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The bytes of one HTTP/2 frame. */
export function rawFrame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literal fields, without compression. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0x10]), literal(name), literal(value)]),
  );
}

/** The request headers of a gRPC call. */
export function grpcHeaders(path: string, more: Readonly<Record<string, string>> = {}): Buffer {
  return headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'test',
    te: 'trailers',
    'content-type': 'application/grpc',
    ...more,
  });
}

/** One gRPC message, with a length that may be a lie. */
export function grpcMessage(body: Uint8Array, length = body.length, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

/** A socket, with what has arrived on it. */
export interface RawPeer {
  readonly socket: Socket;
  readonly frames: readonly RawFrame[];
  send(...bytes: readonly Uint8Array[]): void;
  /** Resolves with the first frame that fits, whether it has arrived or not; rejects when the socket ends before. */
  first(fits: (frame: RawFrame) => boolean): Promise<RawFrame>;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Watches a socket on which the peer's first bytes are an HTTP/2 frame. */
export function watchRawPeer(socket: Socket): RawPeer {
  const frames: RawFrame[] = [];
  const observers = new Set<() => void>();
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let size = sizeOf(rest); size <= rest.length; size = sizeOf(rest)) {
      frames.push({
        type: rest[3] ?? 0,
        flags: rest[4] ?? 0,
        streamId: rest.readUInt32BE(5),
        payload: rest.subarray(9, size),
      });
      rest = rest.subarray(size);
    }
    for (const observe of observers) observe();
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    frames,
    closed,
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    first: (fits) =>
      new Promise((resolve, reject) => {
        const observe = (): void => {
          const found = frames.find(fits);
          if (!found) return;
          observers.delete(observe);
          resolve(found);
        };
        observers.add(observe);
        void closed.then(() => reject(new Error(`the socket closed after ${frames.length} frames`)));
        observe();
      }),
    destroy: () => socket.destroy(),
  };
}

/** Connects and, unless told otherwise, sends preface and settings as a well-behaved client does. */
export async function connectRawPeer(port: number, hello: Uint8Array = politeHello): Promise<RawPeer> {
  const socket = connect({ host: '127.0.0.1', port });
  const peer = watchRawPeer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  if (hello.length > 0) peer.send(hello);
  return peer;
}

const politeHello = Buffer.concat([preface, rawFrame(frameType.settings, 0, 0)]);

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const size = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) size.push((left % 128) + 128);
  return Buffer.concat([Buffer.from([...size, left]), bytes]);
}

/** The size of the frame at the front; infinite while its head is not there. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < 9 ? Number.POSITIVE_INFINITY : 9 + bytes.readUIntBE(0, 3);
}
