/**
 * Redis through its official client, which is loaded when it is first used.
 *
 * Ownership: a session belongs to whoever opened it; shared ones live as long as their line holds.
 */
import type { RedisClientType } from '@redis/client';
import { messageOf } from '@switchyard/kernel';
import { triggerErrors } from '../errors.ts';
import { noTokens, type TokenSource } from '../identity/token-source.ts';
import { redisErrors } from '../redis/errors.ts';
import type { RedisArgument, RedisConnection, RedisReply, RedisService, RedisSession } from '../redis/redis-client.ts';

type Sdk = Pick<typeof import('@redis/client'), 'createClient' | 'RESP_TYPES'>;

const packageName = '@redis/client';
const connectMs = 10_000;

/** Whom tokens for servers are for. A line ends with its token, and is opened anew with another one. */
const tokenScope = 'https://redis.azure.com/.default';

/** `tokens` are for connections by identity. */
export function createRedis(
  load: () => Promise<Sdk> = () => import('@redis/client'),
  tokens: TokenSource = noTokens,
): RedisService {
  let loading: Promise<Sdk> | undefined;
  const shared = new Map<string, Promise<RedisSession>>();
  const open = async (connection: RedisConnection): Promise<RedisSession> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const { identity } = connection;
    if (identity === undefined) return openSession(await loading, connection);
    const password = await tokens(identity, tokenScope);
    return openSession(await loading, { ...connection, password });
  };
  return {
    open,
    shared(connection) {
      const key = JSON.stringify({ ...connection, password: connection.password?.reveal() });
      const known = shared.get(key);
      if (known !== undefined) return known;
      const opening = open(connection);
      const forget = (): void => void (shared.get(key) === opening && shared.delete(key));
      opening.then((session) => session.ended).then(forget, forget);
      shared.set(key, opening);
      return opening;
    },
  };
}

async function openSession({ createClient, RESP_TYPES }: Sdk, connection: RedisConnection): Promise<RedisSession> {
  const { host, port, usesTls, user, password, database } = connection;
  const socket = { host, port, connectTimeout: connectMs, reconnectStrategy: false as const };
  const client = createClient({
    // Replies have the same shape on servers of all ages.
    RESP: 2,
    socket: usesTls ? { ...socket, tls: true as const, servername: host } : socket,
    database,
    name: 'switchyard',
    disableOfflineQueue: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer } },
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password: password.reveal() }),
  });
  let end = (_: Error): void => {};
  const ended = new Promise<Error>((resolve) => {
    end = resolve;
  });
  const lost = (reason: string): void =>
    end(redisErrors.create('REDIS_LINE_LOST', { server: `${host}:${port}`, reason }));
  client.on('error', (thrown) => lost(messageOf(thrown)));
  client.on('end', () => lost('it was closed'));
  await client.connect();
  return toSession(client as unknown as RedisClientType, ended);
}

function toSession(client: RedisClientType, ended: Promise<Error>): RedisSession {
  const command = async (...parts: readonly RedisArgument[]): Promise<RedisReply> =>
    (await client.sendCommand(parts.map(toPart))) as unknown as RedisReply;
  return {
    ended,
    command,
    async transaction(commands) {
      if (commands.length === 1) {
        await command(...(commands[0] ?? []));
        return;
      }
      const all = client.multi();
      for (const parts of commands) all.addCommand(parts.map(toPart));
      await all.exec();
    },
    async subscribe(channel, isPattern, onMessage) {
      const hear = (message: Buffer, from: Buffer): void => onMessage(from.toString('utf8'), message);
      await (isPattern ? client.pSubscribe(channel, hear, true) : client.subscribe(channel, hear, true));
    },
    async close() {
      if (client.isOpen) client.destroy();
    },
  };
}

function toPart(part: RedisArgument): string | Buffer {
  return typeof part === 'string' ? part : Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
