import type { Http2Session } from 'node:http2';
import type { Probe } from './keep-alive.ts';

/** Keep-alive's view of an HTTP/2 session. A session that is gone answers nothing. */
export function toProbe(session: Http2Session): Probe {
  return {
    ping: (answered) => {
      if (!session.destroyed) session.ping((error) => error ?? answered());
    },
    bytesRead: () => (session.destroyed ? 0 : session.socket.bytesRead),
  };
}
