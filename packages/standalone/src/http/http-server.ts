import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { ServerCertificate } from './server-certificate.ts';

const minVersion = 'TLSv1.2';

/** A server for HTTP, or, where there is a certificate, for HTTPS, which shows renewed ones as well. */
export function createHttpServer(
  options: ServerOptions,
  certificate: ServerCertificate | undefined,
  listener?: RequestListener,
): Server {
  if (certificate === undefined) return createServer(options, listener);
  const server = createSecureServer({ ...options, ...toTls(certificate) }, listener);
  certificate.onRenewal((pair) => server.setSecureContext(toTls(pair)));
  return server;
}

const toTls = ({ certificate: cert, key }: Pick<ServerCertificate, 'certificate' | 'key'>) =>
  ({ cert, key, minVersion }) as const;
