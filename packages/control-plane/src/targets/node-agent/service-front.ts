/**
 * The way into services on node agents: `<service>.<any domain>` goes to a pod of the service.
 *
 * A request that cannot be brought to a pod because nobody listens there goes to the next one: nothing of it was sent. One
 * that broke later is answered 502; whether it had an effect is not known. Upgrades of the protocol are not taken.
 */
import type {
  request as httpRequest,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { type Log, messageOf } from '@switchyard/kernel';
import type { RouteChoice, ServiceRoutes } from './service-routes.ts';

export interface ServiceFrontDeps {
  readonly log: Log;
  /** `request` of node:http. */
  readonly request: typeof httpRequest;
  readonly routes: Pick<ServiceRoutes, 'choose' | 'suspend'>;
}

/** Headers that are of one connection, and not of the request. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const refusals: Readonly<Record<Exclude<RouteChoice['kind'], 'pod'>, readonly [status: number, text: string]>> = {
  unknown: [404, 'There is no such service.'],
  down: [503, 'No instance of the service is ready.'],
  full: [503, 'The service has as much to do as it may have. Try again in a moment.'],
};

/** Pods that one request is offered to at most. */
const maxTries = 3;

export function createServiceFront(deps: ServiceFrontDeps): RequestListener {
  return (request, response) => offer(deps, { request, response, serviceId: serviceOf(request) }, 1);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly serviceId: string;
}

function offer(deps: ServiceFrontDeps, exchange: Exchange, attempt: number): void {
  const { request, response, serviceId } = exchange;
  const choice = deps.routes.choose(serviceId);
  if (choice.kind !== 'pod') {
    const [status, text] = refusals[choice.kind];
    answer(response, status, text);
    return;
  }
  const { endpoint, done } = choice;
  const { hostname, port } = new URL(endpoint);
  const { method = 'GET', url: path = '/' } = request;
  const outgoing = deps.request({ hostname, port, method, path, headers: headersFor(request), agent: false });
  let isSent = false;
  outgoing.on('socket', (socket) =>
    socket.once('connect', () => {
      isSent = true;
      pipeline(request, outgoing, () => {});
    }),
  );
  outgoing.on('response', (incoming) => {
    response.writeHead(incoming.statusCode ?? 502, withoutHops(incoming.headers));
    pipeline(incoming, response, () => {});
  });
  outgoing.on('close', done);
  outgoing.on('error', (error) => {
    deps.routes.suspend(serviceId, endpoint);
    if (!isSent && attempt < maxTries) return offer(deps, exchange, attempt + 1);
    deps.log.write('warning', 'A pod did not answer a request', { serviceId, endpoint, reason: messageOf(error) });
    answer(response, 502, 'The service broke the connection.');
  });
  response.on('close', () => outgoing.destroy());
}

/** The name that the request is for, without its domain. Names of services may hold dots: those stand for themselves. */
function serviceOf({ headers: { host = '' } }: IncomingMessage): string {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name.endsWith('.localhost') ? name.slice(0, -'.localhost'.length) : (name.split('.')[0] ?? '');
}

function headersFor({ headers, socket }: IncomingMessage): OutgoingHttpHeaders {
  const forwarded = [headers['x-forwarded-for'], socket.remoteAddress].filter((one) => one !== undefined).join(', ');
  const proto = headers['x-forwarded-proto'] ?? 'http';
  return {
    ...withoutHops(headers),
    'x-forwarded-for': forwarded,
    'x-forwarded-host': headers.host,
    'x-forwarded-proto': proto,
  };
}

function withoutHops(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.has(name)));
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const retry = status === 503 ? { 'retry-after': '1' } : {};
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...retry }).end(`${text}\n`);
}
