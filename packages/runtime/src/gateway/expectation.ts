import type { IncomingMessage, ServerResponse } from 'node:http';

/** Tells a caller who waits for that (`Expect: 100-continue`) to send the body now. */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
}
