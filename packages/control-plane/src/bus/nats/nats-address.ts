/** Addresses of NATS servers, with what opens them. */
import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { busErrors } from '../errors.ts';

/**
 * What the client takes for `nats://user:password@host:port`, `nats://token@host:port` or `tls://...`. All servers of a
 * cluster are opened by what the first one that names something names.
 * @throws PlatformError BUS_INPUT_INVALID, which never has the password
 */
export function toNatsConnection(servers: readonly string[]): NodeConnectionOptions {
  const urls = servers.map(toUrl);
  const named = urls.find(({ username }) => username !== '');
  return {
    servers: urls.map(({ host }) => host),
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
    ...(named === undefined ? {} : credentialsOf(named)),
  };
}

function credentialsOf({ username, password }: URL): Partial<NodeConnectionOptions> {
  const user = decodeURIComponent(username);
  return password === '' ? { token: user } : { user, pass: decodeURIComponent(password) };
}

function toUrl(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url !== undefined && (url.protocol === 'nats:' || url.protocol === 'tls:') && url.hostname !== '') return url;
  throw busErrors.create('BUS_INPUT_INVALID', {
    what: 'address of a NATS server',
    value: server.replace(/\/\/[^@/]*@/, '//***@'),
    reason: 'it must be like nats://127.0.0.1:4222, with user:password@ or token@ before the host where it needs them',
  });
}
