import type { RequestListener } from 'node:http';
import type { createControlGuard } from '@switchyard/identity';
import { type MetricSnapshot, prometheusContentType, toPrometheusText } from '@switchyard/telemetry';

/** Beside the paths of the control API, on its port. */
export const metricsPath = '/metrics';

export interface MetricsPageDeps {
  readonly guard: ReturnType<typeof createControlGuard>;
  readonly read: () => Promise<MetricSnapshot>;
  /** Takes every other request. */
  readonly next: RequestListener;
}

/**
 * Measurements of the whole installation as Prometheus reads them, for tokens that may read and are for all tenants: the
 * names of apps and functions of every tenant are in them.
 */
export function createMetricsPage({ guard, read, next }: MetricsPageDeps): RequestListener {
  return (request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== metricsPath || request.method !== 'GET') {
      next(request, response);
      return;
    }
    const refuse = (status: number, message: string): void => {
      const headers = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${message}\n`);
    };
    guard(request.headers.authorization).then(
      async (verdict) => {
        if (verdict.kind === 'refused') refuse(verdict.status, verdict.reason);
        else if (verdict.tenants !== '*' || !verdict.scopes.includes('read')) {
          refuse(
            403,
            "The token does not show the whole installation: it must be for all tenants and have the scope 'read'.",
          );
        } else response.writeHead(200, { 'content-type': prometheusContentType }).end(toPrometheusText(await read()));
      },
      () => refuse(503, 'The token could not be checked now. Try again.'),
    );
  };
}
