const kibi = 1024;
const mebi = 1024 * 1024;

/** How often a connection is probed, and how long a probe may stay unanswered. */
export interface KeepAliveOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** The bounds of one transport end. Every field has a default; see `defaultTransportLimits`. */
export interface TransportLimits {
  /** The largest frame this end accepts; a larger one ends its stream with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  /** Bytes of unfinished frames that all streams of this end may hold together. */
  readonly maxAssemblyBytes: number;
  /** What a peer may send on one stream before this end has read it. */
  readonly streamWindowBytes: number;
  /** What a peer may send on one connection before this end has read it. */
  readonly connectionWindowBytes: number;
  /** `send` answers false from this many buffered bytes on. */
  readonly highWaterBytes: number;
  /** `drained` resolves at or below this many buffered bytes. */
  readonly lowWaterBytes: number;
  /** A link whose owner goes on sending into a full buffer ends with RESOURCE_EXHAUSTED here. */
  readonly maxBufferedBytes: number;
  /** Streams that one connection may have open at a time. */
  readonly maxConcurrentStreams: number;
  /** The size of one header block, counted as HTTP/2 does (name + value + 32 each). */
  readonly maxHeaderListBytes: number;
  /** Connections that a server holds at a time. */
  readonly maxConnections: number;
  /** How long a peer may take until its HTTP/2 settings have arrived. */
  readonly handshakeTimeoutMs: number;
  /** How long a peer may take to accept a final status before its stream is reset. */
  readonly lingerMs: number;
  /** How long a unary request may take to arrive and be answered when the caller names no deadline. */
  readonly unaryTimeoutMs: number;
}

/**
 * The defaults. A paused receiver makes its peer stop after a stream window (1 MiB) and the peer's own buffers; the
 * message limit is the one that the language workers are started with (`--functions-grpc-max-message-length`).
 */
export const defaultTransportLimits: TransportLimits = {
  maxMessageBytes: 128 * mebi,
  maxAssemblyBytes: 512 * mebi,
  streamWindowBytes: mebi,
  connectionWindowBytes: 16 * mebi,
  highWaterBytes: 512 * kibi,
  lowWaterBytes: 128 * kibi,
  maxBufferedBytes: 256 * mebi,
  maxConcurrentStreams: 1000,
  maxHeaderListBytes: 16 * kibi,
  maxConnections: 4096,
  handshakeTimeoutMs: 10_000,
  lingerMs: 1_000,
  unaryTimeoutMs: 60_000,
};

/** A dead peer is found after at most ten seconds. */
export const defaultKeepAlive: KeepAliveOptions = { intervalMs: 5_000, timeoutMs: 5_000 };
