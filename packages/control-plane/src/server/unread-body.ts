/**
 * What becomes of a body that is refused before it is read.
 *
 * Closing the connection at once would reset it, and the caller would learn of the reset and not of the refusal. So the
 * rest is read and dropped, up to a limit of size and time; a connection that brings more is cut.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@switchyard/kernel';
import { maxUnreadBytes, unreadBodyMs } from './limits.ts';

/** What is used of a request of node:http. */
export type UnreadRequest = Pick<IncomingMessage, 'complete' | 'on' | 'once' | 'resume' | 'destroy'>;

/** Reads on to the end of the body and forgets it. */
export function dropBody(clock: Clock, request: UnreadRequest): void {
  if (request.complete) return;
  let sizeBytes = 0;
  const timer = clock.schedule(unreadBodyMs, () => request.destroy());
  const leave = (): void => timer.cancel();
  request.once('end', leave).once('close', leave);
  request.on('data', (chunk: Uint8Array) => {
    sizeBytes += chunk.length;
    if (sizeBytes > maxUnreadBytes) request.destroy();
  });
  request.resume();
}
