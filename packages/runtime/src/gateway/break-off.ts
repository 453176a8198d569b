import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Breaks a response off so that its caller notices. The end of the connection is enough where the response says how long it
 * is, or comes in chunks; an HTTP/1.0 response ends with its connection, so that only a reset tells.
 */
export function breakOff(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = response;
  const isPlain = socket !== null && !('encrypted' in socket);
  if (request.httpVersionMinor === 0 && isPlain) socket.resetAndDestroy();
  else response.destroy();
}
