/** The one way to the HTTP server of a worker: on this machine's loopback, or over TLS on an address that its Runtime reaches. */
import { createServer, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createWorkerHttpProxy, type HttpProxy } from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import { isLoopbackHost, isWildcardHost, listen, toUrlHost } from '../http/listen.ts';
import { sidecarProcessErrors } from './errors.ts';
import { readOwnTls } from './read-own-tls.ts';
import type { SidecarProcessOptions } from './sidecar-options.ts';

const loopback = '127.0.0.1';

/** Rejects with PORT_IN_USE, PORT_REFUSED, SIDECAR_PROXY_IN_CLEAR, SIDECAR_PROXY_ADDRESS and what is wrong with certificates. */
export async function openHttpProxy(
  options: Pick<SidecarProcessOptions, 'http' | 'tls' | 'allowClearTokens'>,
  closers: Closers,
): Promise<HttpProxy & { readonly uri: string }> {
  const { host = loopback, port: wanted = 0, url } = options.http;
  const isLocal = isLoopbackHost(host);
  const tls = isLocal ? undefined : await readOwnTls(options);
  if (!isLocal && tls === undefined && !options.allowClearTokens) {
    throw sidecarProcessErrors.create('SIDECAR_PROXY_IN_CLEAR', { host });
  }
  if (url === undefined ? isWildcardHost(host) : !isHttpUrl(url)) {
    throw sidecarProcessErrors.create('SIDECAR_PROXY_ADDRESS', { host, url: url ?? '' });
  }
  const server =
    tls === undefined
      ? createServer()
      : createSecureServer({ cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' });
  const port = await listen(server, { host, port: wanted });
  closers.add('proxy to the worker', async () => {
    server.close();
    server.closeAllConnections();
  });
  const own = `${tls === undefined ? 'http' : 'https'}://${toUrlHost(host)}:${port}`;
  const uri = url ?? own;
  const proxy = createWorkerHttpProxy({ clock: systemClock, random: systemRandom, request }, { uri });
  server.on('request', (incoming, response) => proxy.handle(incoming, response));
  return { open: proxy.open, uri };
}

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}
