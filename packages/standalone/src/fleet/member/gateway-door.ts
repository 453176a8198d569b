/**
 * Lets the installation's requests to a Runtime, and nobody else's, and shows the Runtime the caller that the installation saw.
 *
 * I1 A request without the key of the present join is refused, whatever it asks for.
 * I2 The Runtime sees neither the key nor the header with the caller's address, and the caller's address as that of the connection.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from '../../http/gateway-server.ts';
import { callerHeader, gatewayKeyHeader } from '../forward-request.ts';

export interface GatewayDoor {
  readonly handle: RequestHandler;
  open(key: string): void;
  close(): void;
}

export function createGatewayDoor(next: RequestHandler): GatewayDoor {
  let expected: Buffer | undefined;
  return {
    open(key) {
      expected = digestOf(key);
    },
    close() {
      expected = undefined;
    },
    handle(request, response) {
      const shown = digestOf(String(request.headers[gatewayKeyHeader] ?? ''));
      if (expected === undefined || !timingSafeEqual(shown, expected)) {
        response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
        response.end('This Runtime answers through the gateway of its installation alone.\n');
        return;
      }
      const caller = String(request.headers[callerHeader] ?? '');
      takeOut(request, gatewayKeyHeader, callerHeader);
      // One request at a time is under way on a connection of the installation.
      Object.defineProperty(request.socket, 'remoteAddress', { value: caller, configurable: true });
      next(request, response);
    },
  };
}

function takeOut(request: IncomingMessage, ...names: readonly string[]): void {
  const { rawHeaders } = request;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (names.includes((rawHeaders[at] ?? '').toLowerCase())) rawHeaders.splice(at, 2);
  }
  for (const name of names) delete request.headers[name];
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
