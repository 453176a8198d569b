/**
 * Entries of a list. What is taken moves to a list of its taker in the same step, so that nothing is lost with a host: the lists
 * of takers that are gone flow back.
 *
 * Keys beside the list: `{key}:in-hand:{app}.{function}` is the set of takers; each has a list under that name and its own, and a
 * sign of life `...:alive` that goes by itself.
 *
 * I1 An entry is in the list or in hand, and leaves when it is done with: it is run at least once.
 * I2 What a taker had that is gone goes back to the end that it was taken from, in its order.
 */
import type { BindingDataType } from '@switchyard/model';
import type { TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { textData, toTypedData } from '../typed-data.ts';
import { type RedisReply, type RedisSession, toText } from './redis-client.ts';
import { type RedisEntry, type RedisSource, type RedisSourceKind, takerGoneMs } from './redis-source.ts';

export interface RedisListOptions {
  readonly key: string;
  /** The end that entries are taken from. */
  readonly direction: 'LEFT' | 'RIGHT';
  readonly dataType: BindingDataType | undefined;
}

const takeScript = `
local taken = {}
for _ = 1, tonumber(ARGV[1]) do
  local value = redis.call(ARGV[2], KEYS[1])
  if not value then break end
  redis.call('RPUSH', KEYS[2], value)
  taken[#taken + 1] = value
end
return taken`;

/** The newest goes back first, to the end where the oldest was. */
const returnScript = `
for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if name == ARGV[2] or redis.call('EXISTS', name .. ':alive') == 0 then
    while true do
      local value = redis.call('RPOP', name)
      if not value then break end
      redis.call(ARGV[1], KEYS[1], value)
    end
    redis.call('SREM', KEYS[2], name)
    redis.call('DEL', name .. ':alive')
  end
end
return 0`;

/** @param owner the app and the function, the same in all hosts */
export function createRedisListSource(options: RedisListOptions, owner: string): RedisSourceKind {
  return {
    name: `list ${options.key}`,
    async open(session, taker) {
      const takers = `${options.key}:in-hand:${owner}`;
      const source = new RedisListSource(session, options, takers, `${takers}:${taker}`);
      await source.keep();
      return source;
    },
    toEvent: (entry) => toListEvent([entry], options, false),
    toBatchEvent: (entries) => toListEvent(entries, options, true),
  };
}

class RedisListSource implements RedisSource {
  readonly #session: RedisSession;
  readonly #options: RedisListOptions;
  readonly #takers: string;
  readonly #name: string;
  #count = 0;

  constructor(session: RedisSession, options: RedisListOptions, takers: string, name: string) {
    this.#session = session;
    this.#options = options;
    this.#takers = takers;
    this.#name = name;
  }

  async take(count: number): Promise<readonly RedisEntry[]> {
    const { key, direction } = this.#options;
    const pop = direction === 'LEFT' ? 'LPOP' : 'RPOP';
    const reply = await this.#session.command('EVAL', takeScript, '2', key, this.#name, String(count), pop);
    return toList(reply).map((value) => {
      this.#count += 1;
      return {
        id: String(this.#count),
        value: value instanceof Uint8Array ? value : Buffer.from(toText(value)),
        losses: 0,
      };
    });
  }

  async done(entries: readonly RedisEntry[]): Promise<void> {
    // Values that are alike may be taken for one another.
    for (const { value } of entries) await this.#session.command('LREM', this.#name, '1', value);
  }

  async keep(): Promise<void> {
    await this.#session.command('SET', `${this.#name}:alive`, '1', 'PX', String(takerGoneMs));
    // Another taker may have taken this one for gone.
    await this.#session.command('SADD', this.#takers, this.#name);
    await this.#returnGone('');
  }

  leave(): Promise<void> {
    return this.#returnGone(this.#name);
  }

  async backlog() {
    const messageCount = Number(await this.#session.command('LLEN', this.#options.key));
    return { messageCount, oldestMs: undefined };
  }

  /** Takers that are gone, and the one of this name. */
  async #returnGone(name: string): Promise<void> {
    const { key, direction } = this.#options;
    const push = direction === 'LEFT' ? 'LPUSH' : 'RPUSH';
    await this.#session.command('EVAL', returnScript, '2', key, this.#takers, push, name);
  }
}

function toListEvent(entries: readonly RedisEntry[], options: RedisListOptions, isBatch: boolean): TriggerEvent {
  const metadata = new TriggerMetadata();
  const texts = entries.map(({ value }) => toText(value));
  const reason = `New entries of the Redis list '${options.key}'.`;
  if (isBatch) {
    metadata.set('Value', textData(JSON.stringify(texts)));
    return { data: toCollection(entries, texts, options.dataType), metadata: metadata.entries, reason };
  }
  const [text = ''] = texts;
  metadata.set('Value', textData(text));
  const bytes = options.dataType === 'binary' || options.dataType === 'stream';
  return { data: bytes ? toTypedData(entries[0]?.value) : textData(text), metadata: metadata.entries, reason };
}

function toCollection(
  entries: readonly RedisEntry[],
  texts: readonly string[],
  dataType: BindingDataType | undefined,
): TriggerEvent['data'] {
  return dataType === 'binary' || dataType === 'stream'
    ? { data: { $case: 'collectionBytes', value: { bytes: entries.map(({ value }) => value) } } }
    : { data: { $case: 'collectionString', value: { string: [...texts] } } };
}

function toList(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? reply : [];
}
