import type { IncomingMessage } from 'node:http';
import type { Clock } from '@switchyard/kernel';

/**
 * Takes the rest of a body that nobody wanted off the wire, so that its sender comes to read the response. A sender that is
 * not done after `limitMs` is cut off.
 */
export function discardBody(clock: Clock, request: IncomingMessage, limitMs: number): void {
  if (request.complete || request.destroyed) return;
  const timer = clock.schedule(limitMs, () => request.socket.destroy());
  request.once('close', () => timer.cancel());
  // Whatever it was meant for takes it no longer, and would stop it when it notices.
  request.unpipe();
  request.resume();
}
