/** The statuses that both implementations of Link end with by themselves. */
import { grpcStatus, type LinkStatus } from '../link.ts';

/** The orderly end. */
export const orderly: LinkStatus = { code: grpcStatus.ok, message: '' };

/** The receiver threw; what it threw stays in this process. */
export const receiverFailed: LinkStatus = { code: grpcStatus.internal, message: 'the receiver of this stream failed' };

/** The peer's direction ended before its last frame was complete. */
export const truncated: LinkStatus = {
  code: grpcStatus.internal,
  message: 'the stream ended in the middle of a message',
};

/** A frame is larger than this end accepts. */
export function oversized(sizeBytes: number, limitBytes: number): LinkStatus {
  return {
    code: grpcStatus.resourceExhausted,
    message: `a message of ${sizeBytes} bytes is larger than the limit of ${limitBytes} bytes`,
  };
}

/** The owner of a link went on sending although the peer does not read. */
export function overflowing(peer: string, bufferedBytes: number, limitBytes: number): LinkStatus {
  return {
    code: grpcStatus.resourceExhausted,
    message:
      `${bufferedBytes} bytes wait to be sent to ${peer}, more than the limit of ${limitBytes}: ` +
      'the peer does not read, and the sender did not wait for it',
  };
}
