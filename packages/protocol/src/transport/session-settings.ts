import type { Settings } from 'node:http2';
import type { TransportLimits } from './transport-limits.ts';

/**
 * The memory limit of node:http2 for one session. It also counts what waits to be sent, and one large message would
 * make it refuse new streams; the limits of the transport itself do this job, so this one only backs them up.
 */
export const maxSessionMemoryMib = 4096;

/** What both ends announce. */
export function sessionSettings(limits: TransportLimits): Settings {
  return {
    initialWindowSize: limits.streamWindowBytes,
    maxHeaderListSize: limits.maxHeaderListBytes,
    maxConcurrentStreams: limits.maxConcurrentStreams,
  };
}
