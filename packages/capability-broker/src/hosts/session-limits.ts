import type { SessionOptions } from '@switchyard/capabilities';
import { capabilityErrors } from '../errors.ts';
import { toWireError } from './wire-error.ts';

/** The longest message that any session of broker or host takes. One session that sends more ends alone. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** How deep a message may nest: the payload's own depth and the frame of the message. */
const maxMessageDepth = 96;

/** What every session of a broker or a host has in common. */
export const hostSession: Pick<SessionOptions, 'onSendError' | 'maxDepth' | 'maxMessageSize'> = {
  onSendError: toWireError,
  maxDepth: maxMessageDepth,
  maxMessageSize: maxMessageBytes,
};

/** What the calls of a lost session fail with, for the transports. */
export function lostHost(shard: string): { readonly maxLineBytes: number; lost(detail: string): Error } {
  return {
    maxLineBytes: maxMessageBytes,
    lost: (detail) => toWireError(capabilityErrors.create('SHARD_UNAVAILABLE', { shard, reason: detail })),
  };
}

/** The same for the side that has no name for its peer. */
export const lostPeer = lostHost('the peer');
