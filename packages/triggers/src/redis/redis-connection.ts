/** Connection strings of Redis: those of StackExchange.Redis, which official apps have, and `redis://` addresses. */
import { Secret } from '@switchyard/kernel';
import { type BindingMetadata, type Connection, resolveConnection } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { readIdentity } from '../identity/identity-settings.ts';
import { redisErrors } from './errors.ts';
import type { RedisConnection } from './redis-client.ts';

const defaultConnection = 'Redis';
const plainPort = 6_379;
const tlsPort = 6_380;

/** Throws REDIS_CONNECTION_INVALID. */
export function parseRedisConnection(binding: BindingMetadata, scope: BindingScope): RedisConnection {
  const { connectionStringSetting } = binding.raw;
  const named = typeof connectionStringSetting === 'string' ? connectionStringSetting : binding.connection;
  const connection = resolveConnection(scope.settings, named, defaultConnection);
  const invalid = (problem: string, setting: string): Error => {
    const details = { function: scope.function.name, binding: binding.name, problem, setting };
    return redisErrors.create('REDIS_CONNECTION_INVALID', details);
  };
  switch (connection.kind) {
    case 'missing':
      throw invalid(`the app setting '${connection.name}' is missing`, connection.name);
    case 'identity':
      return readByIdentity(connection, scope.settings, (problem) => invalid(problem, connection.settingName));
    case 'connectionString': {
      const parsed = parseRedisAddress(connection.value.reveal());
      if (parsed === undefined)
        throw invalid(`'${connection.settingName}' is no address of a Redis server`, connection.settingName);
      return parsed;
    }
  }
}

/** Tokens travel over TLS alone. */
function readByIdentity(
  { members, settingName }: Extract<Connection, { kind: 'identity' }>,
  settings: BindingScope['settings'],
  invalid: (problem: string) => Error,
): RedisConnection {
  const [, host, port] = /^([^:\s]+)(?::(\d+))?$/.exec(members.get('redishostname')?.reveal().trim() ?? '') ?? [];
  if (host === undefined) {
    throw invalid(
      `'${settingName}' is an identity whose "redisHostName" names no host such as shop.redis.cache.windows.net`,
    );
  }
  const user = members.get('principalid')?.reveal();
  if (user === undefined)
    throw invalid(`'${settingName}' is an identity without "principalId", the user of its tokens`);
  const read = readIdentity(members, settings);
  if (read.kind === 'invalid') throw invalid(`the identity '${settingName}' cannot be used: ${read.problem}`);
  const server = { host, port: port === undefined ? tlsPort : Number(port), usesTls: true, database: 0 };
  return { ...server, user, password: undefined, identity: read.identity };
}

/** Undefined when the text is neither of the two kinds. */
export function parseRedisAddress(text: string): RedisConnection | undefined {
  return /^rediss?:\/\//i.test(text) ? fromUri(text) : fromOptions(text);
}

function fromUri(text: string): RedisConnection | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname } = new URL(text);
  const database = pathname.length > 1 ? Number(pathname.slice(1)) : 0;
  if (hostname === '' || !Number.isInteger(database)) return undefined;
  return {
    host: hostname,
    port: port === '' ? plainPort : Number(port),
    usesTls: protocol === 'rediss:',
    user: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : new Secret(decodeURIComponent(password)),
    database,
  };
}

/** `host:port,name=value,...`; of several servers the first one. */
function fromOptions(text: string): RedisConnection | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const server = parts.find((part) => part !== '' && !part.includes('='));
  const [, host, port] = /^(\[[^\]]+\]|[^:\s]+)(?::(\d+))?$/.exec(server ?? '') ?? [];
  if (host === undefined) return undefined;
  const options = new Map(parts.filter((part) => part.includes('=')).map(toOption));
  const usesTls = options.get('ssl')?.toLowerCase() === 'true';
  const database = Number(options.get('defaultdatabase') ?? 0);
  if (!Number.isInteger(database)) return undefined;
  const password = options.get('password');
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? (usesTls ? tlsPort : plainPort) : Number(port),
    usesTls,
    user: options.get('user'),
    password: password === undefined || password === '' ? undefined : new Secret(password),
    database,
  };
}

function toOption(part: string): readonly [name: string, value: string] {
  const at = part.indexOf('=');
  return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
}
