/**
 * A listener for a server whose port is open before whoever serves is there: a port that is taken must be known first, and
 * callers of an API are not to see that it is just starting.
 *
 * I1 Requests that come before `serve` wait for it, and are then served in the order in which they came.
 * I2 Those of callers that have gone meanwhile are not served.
 * I3 More than `maxHeldRequests` do not wait: they are told to come again.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** A start takes seconds, and callers that wait for it are few. */
export const maxHeldRequests = 1_000;

export interface HeldRequests {
  /** For the server. */
  readonly listener: RequestListener;
  /** From now on requests go there. */
  serve(listener: RequestListener): void;
}

export function createHeldRequests(): HeldRequests {
  const held: (readonly [IncomingMessage, ServerResponse])[] = [];
  let serving: RequestListener | undefined;
  return {
    listener(request, response) {
      if (serving !== undefined) serving(request, response);
      else if (held.length < maxHeldRequests) held.push([request, response]);
      else tellToComeAgain(response);
    },
    serve(listener) {
      serving = listener;
      for (const [request, response] of held.splice(0)) if (!response.destroyed) listener(request, response);
    },
  };
}

function tellToComeAgain(response: ServerResponse): void {
  const message = 'This service is starting, and many wait for it already. Try again in a second.';
  const headers = { 'content-type': 'application/json', 'retry-after': '1' };
  response.writeHead(503, headers).end(JSON.stringify({ error: { code: 'STARTING', message } }));
}
