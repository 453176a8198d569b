/**
 * A small HTTP/1.1 load client on bare sockets, so that the client costs little beside what it measures. Each connection
 * is kept alive and has one request under way at a time.
 */
import { connect, type Socket } from 'node:net';
import { quantile } from './statistics.ts';

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** The Host header; host and port when left out. */
  readonly authority?: string;
  /** How long to send requests before measuring. */
  readonly warmUpMs: number;
  /** How long to measure. */
  readonly durationMs: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, and broken connections. */
  readonly errors: number;
}

const endOfHead = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

/** Sends requests until the time is over. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const startMs = performance.now() + options.warmUpMs;
  const endMs = startMs + options.durationMs;
  const latencies: number[] = [];
  let errors = 0;
  const onAnswer = (sentMs: number, good: boolean): boolean => {
    const nowMs = performance.now();
    if (sentMs >= startMs) {
      if (good) latencies.push(nowMs - sentMs);
      else errors += 1;
    }
    return nowMs < endMs;
  };
  await Promise.all(Array.from({ length: options.connections }, () => runConnection(options, onAnswer)));
  return {
    requests: latencies.length,
    requestsPerSecond: latencies.length / (options.durationMs / 1000),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    errors,
  };
}

function runConnection(options: LoadOptions, onAnswer: (sentMs: number, good: boolean) => boolean): Promise<void> {
  const authority = options.authority ?? `${options.host}:${options.port}`;
  const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: options.host, port: options.port, noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    let sentMs = 0;
    const send = (): void => {
      received = Buffer.alloc(0);
      sentMs = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (!isComplete(received)) return;
      const good = received.subarray(9, 12).toString('latin1') === '200';
      if (onAnswer(sentMs, good)) send();
      else socket.end();
    });
    socket.on('error', () => onAnswer(performance.now(), false));
    socket.on('close', () => resolve());
  });
}

/** True when a whole answer is there, by its length or by its last chunk. */
function isComplete(received: Buffer): boolean {
  const headEnd = received.indexOf(endOfHead);
  if (headEnd < 0) return false;
  const head = received.subarray(0, headEnd).toString('latin1');
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return received.length >= headEnd + endOfHead.length + Number(length);
  return received.subarray(-lastChunk.length).equals(lastChunk);
}
