import type { IncomingMessage } from 'node:http';
import { type MemoryMeter, prometheusContentType, toPrometheusText } from '@switchyard/telemetry';
import type { RequestHandler } from './gateway-server.ts';

const path = '/runtime/metrics';

/** Answers GET /runtime/metrics for callers on this machine, in Prometheus' text format; everything else goes on. */
export function withMetrics(meter: Pick<MemoryMeter, 'snapshot'>, handler: RequestHandler): RequestHandler {
  return (request, response) => {
    const isAsked = request.method === 'GET' && request.url?.split('?', 1)[0]?.toLowerCase() === path;
    if (!isAsked || !isFromHere(request)) handler(request, response);
    else response.writeHead(200, { 'content-type': prometheusContentType }).end(toPrometheusText(meter.snapshot()));
  };
}

/** Metrics name apps and functions, so nobody outside reads them without the operator's doing. */
function isFromHere({ socket }: IncomingMessage): boolean {
  return ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(socket.remoteAddress ?? '');
}
