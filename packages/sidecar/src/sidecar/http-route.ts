import { httpUriTokenCapability } from '@switchyard/protocol';
import type { HttpProxy, ProxyRoute } from '../http-proxy/worker-http-proxy.ts';
import { sidecarErrors } from './errors.ts';

/** The capability of workers that take HTTP requests themselves. */
const httpUriCapability = 'HttpUri';

export interface RoutedCapabilities {
  readonly capabilities: ReadonlyMap<string, string>;
  readonly route: ProxyRoute | undefined;
}

/**
 * Puts the sidecar's own proxy in the place of the worker's HTTP port.
 * @throws PlatformError SIDECAR_PROXY_UNAVAILABLE
 */
export function routeHttp(
  workerId: string,
  capabilities: ReadonlyMap<string, string>,
  proxy: HttpProxy | undefined,
  runtimeEndpoint: string,
): RoutedCapabilities {
  const httpUri = capabilities.get(httpUriCapability) ?? '';
  if (httpUri === '') return { capabilities, route: undefined };
  if (proxy === undefined) throw sidecarErrors.create('SIDECAR_PROXY_UNAVAILABLE', { workerId, httpUri });
  const route = proxy.open(httpUri, runtimeEndpoint);
  const rewritten = new Map(capabilities);
  rewritten.set(httpUriCapability, route.uri);
  rewritten.set(httpUriTokenCapability, route.token);
  return { capabilities: rewritten, route };
}
