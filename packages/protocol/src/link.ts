/**
 * A Link is one end of an EventStream: ordered frames in both directions, with back-pressure. A frame is one serialized
 * StreamingMessage, without the gRPC prefix. The opener dialled (worker, sidecar), the acceptor was called (Runtime). The
 * HTTP/2 transport and the in-memory pair pass one contract suite, so Runtime, sidecar and worker do not know which one
 * they hold.
 *
 * I1 Frames arrive whole, in the order in which they were sent, each at most once, and never from within `send`.
 * I2 Nothing is delivered before `receive` was called, and nothing after `closed` resolved.
 * I3 `closed` resolves exactly once, whoever ended the link and why; after an orderly end, only when every frame in front
 *    of it was delivered.
 * I4 A paused receiver stops the peer's `send` from answering true after a bounded number of bytes.
 * I5 How a link ended reaches the other end: the acceptor's status as it is, the opener's cancellation as CANCELLED, a
 *    lost connection as UNAVAILABLE.
 * I6 A frame above the size limit, and a buffer that nobody waits for, end the link with RESOURCE_EXHAUSTED.
 */
export interface Link {
  /** Who is at the other end, for log lines: an address, or a name in memory. */
  readonly peer: string;
  /** Metadata the opener sent, lower-case names. Empty at the opener's end. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes accepted by `send` and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** Why the link ended. Never rejects. */
  readonly closed: Promise<LinkEnd>;

  /**
   * Sends one frame. The bytes must not change afterwards. Returns false when the buffer has passed its high-water mark:
   * the frame was still accepted, but send no more before `drained`. On a link that has ended the frame is dropped and
   * the answer is false.
   */
  send(frame: Uint8Array): boolean;
  /** Resolves when the buffer is below its low-water mark, or the link has ended. */
  drained(): Promise<void>;
  /** Names the receiver; to be called once, at once or later: until then frames wait in the flow-control window. */
  receive(receiver: LinkReceiver): void;
  /** Stops delivery; the peer feels it through flow control. */
  pause(): void;
  resume(): void;
  /**
   * Ends this direction after everything sent. At the acceptor this ends the link: the status (OK unless named) travels
   * as trailers, and what the opener still sends is lost. At the opener the status is ignored; frames still arrive until
   * the acceptor ends.
   */
  end(status?: LinkStatus): void;
  /** Ends both directions now; unsent frames are dropped. The acceptor's status still reaches the opener if it can. */
  cancel(status: LinkStatus): void;
}

/** What a Link's owner does with what arrives. A throw ends the link with INTERNAL. */
export interface LinkReceiver {
  /** One frame. It may be a view into a larger buffer and is valid for as long as it is referenced. */
  frame(bytes: Uint8Array): void;
  /** The peer will send no more. At the acceptor, our direction is still open; at the opener, `closed` follows. */
  end?(): void;
}

/** A gRPC status. */
export interface LinkStatus {
  readonly code: number;
  readonly message: string;
}

/** How a link ended. `code` 0 is the orderly end of both directions. */
export interface LinkEnd extends LinkStatus {
  /** `local` when this end cancelled or ended it, `peer` for a status of the peer, `transport` for a lost connection. */
  readonly origin: 'local' | 'peer' | 'transport';
}

/** The gRPC status codes. */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;
