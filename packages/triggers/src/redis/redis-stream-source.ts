/**
 * Entries of a stream, in a consumer group that all hosts of the function share.
 *
 * I1 An entry is pending in the group until it is done with: it is run at least once.
 * I2 What a consumer had that is gone is claimed by another one; what a consumer keeps is claimed by nobody.
 */
import type { BindingDataType } from '@switchyard/model';
import type { TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import { type RedisReply, type RedisSession, toText } from './redis-client.ts';
import { type RedisEntry, type RedisSource, type RedisSourceKind, takerGoneMs } from './redis-source.ts';

export interface RedisStreamOptions {
  readonly key: string;
  readonly dataType: BindingDataType | undefined;
}

/** @param group the name of the consumer group, the same in all hosts */
export function createRedisStreamSource(options: RedisStreamOptions, group: string): RedisSourceKind {
  return {
    name: `stream ${options.key}`,
    async open(session, taker) {
      try {
        await session.command('XGROUP', 'CREATE', options.key, group, '0', 'MKSTREAM');
      } catch (thrown) {
        if (!(thrown instanceof Error && thrown.message.includes('BUSYGROUP'))) throw thrown;
      }
      return new RedisStreamSource(session, options.key, group, taker);
    },
    toEvent: (entry) => toStreamEvent(entry, options),
    toBatchEvent: (entries) => toStreamBatchEvent(entries, options),
  };
}

class RedisStreamSource implements RedisSource {
  readonly #session: RedisSession;
  readonly #key: string;
  readonly #group: string;
  readonly #consumer: string;
  /** Whether consumers that are gone are to be looked for. */
  #looksBack = true;

  constructor(session: RedisSession, key: string, group: string, consumer: string) {
    this.#session = session;
    this.#key = key;
    this.#group = group;
    this.#consumer = consumer;
  }

  async take(count: number): Promise<readonly RedisEntry[]> {
    const claimed = this.#looksBack ? await this.#claim(count) : [];
    this.#looksBack = claimed.length > 0;
    if (claimed.length > 0) return claimed;
    const from = ['GROUP', this.#group, this.#consumer, 'COUNT', String(count), 'STREAMS', this.#key, '>'];
    const reply = await this.#session.command('XREADGROUP', ...from);
    return toList(toList(toList(reply)[0])[1]).flatMap(toEntry);
  }

  async done(entries: readonly RedisEntry[]): Promise<void> {
    await this.#session.command('XACK', this.#key, this.#group, ...entries.map(({ id }) => id));
  }

  async keep(entries: readonly RedisEntry[]): Promise<void> {
    this.#looksBack = true;
    if (entries.length === 0) return;
    // A claim of one's own entries makes them fresh.
    const ids = entries.map(({ id }) => id);
    await this.#session.command('XCLAIM', this.#key, this.#group, this.#consumer, '0', ...ids, 'JUSTID');
  }

  async leave(entries: readonly RedisEntry[]): Promise<void> {
    // Deleting a consumer would delete what it has in hand; that stays, until another one claims it.
    if (entries.length === 0)
      await this.#session.command('XGROUP', 'DELCONSUMER', this.#key, this.#group, this.#consumer);
  }

  async backlog() {
    const groups = toList(await this.#session.command('XINFO', 'GROUPS', this.#key)).map(toRecord);
    const lag = groups.find((group) => toText(group.get('name')) === this.#group)?.get('lag');
    // Servers before 7.0 do not count what a group has not read yet.
    const messageCount = typeof lag === 'number' ? lag : Number(await this.#session.command('XLEN', this.#key));
    return { messageCount, oldestMs: undefined };
  }

  async #claim(count: number): Promise<readonly RedisEntry[]> {
    const to = [this.#key, this.#group, this.#consumer, String(takerGoneMs), '0-0', 'COUNT', String(count)];
    try {
      const reply = toList(await this.#session.command('XAUTOCLAIM', ...to));
      return toList(reply[1]).flatMap(toEntry);
    } catch (thrown) {
      // Servers before 6.2 have no such command.
      if (thrown instanceof Error && /unknown command/i.test(thrown.message)) return [];
      throw thrown;
    }
  }
}

/** An entry of a stream travels as JSON text; one that was deleted meanwhile has no fields. */
function toEntry(reply: RedisReply): RedisEntry[] {
  const [id, fields] = toList(reply);
  if (id === undefined || !Array.isArray(fields)) return [];
  const values = Object.fromEntries([...toRecord(fields)].map(([name, value]) => [name, toText(value)]));
  const text = JSON.stringify({ Id: toText(id), Values: values });
  return [{ id: toText(id), value: Buffer.from(text), losses: 0 }];
}

function toStreamEvent(entry: RedisEntry, { key, dataType }: RedisStreamOptions): TriggerEvent {
  const text = toText(entry.value);
  const { Id, Values } = JSON.parse(text) as { Id: string; Values: Record<string, string> };
  const metadata = new TriggerMetadata();
  metadata.set('Key', textData(key));
  metadata.set('Id', textData(Id));
  metadata.set('Values', jsonData(JSON.stringify(Values)));
  const bytes = dataType === 'binary' || dataType === 'stream';
  const data = bytes ? toTypedData(entry.value) : textData(text);
  return { data, metadata: metadata.entries, reason: `New entries of the Redis stream '${key}'.` };
}

function toStreamBatchEvent(entries: readonly RedisEntry[], { key, dataType }: RedisStreamOptions): TriggerEvent {
  const metadata = new TriggerMetadata();
  metadata.set('Key', textData(key));
  metadata.set('Count', toTypedData(entries.length));
  const bytes = dataType === 'binary' || dataType === 'stream';
  const data: TriggerEvent['data'] = bytes
    ? { data: { $case: 'collectionBytes', value: { bytes: entries.map(({ value }) => value) } } }
    : { data: { $case: 'collectionString', value: { string: entries.map(({ value }) => toText(value)) } } };
  return { data, metadata: metadata.entries, reason: `New entries of the Redis stream '${key}'.` };
}

/** Names and values that follow one another. */
function toRecord(reply: RedisReply): ReadonlyMap<string, RedisReply> {
  const flat = toList(reply);
  return new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[toText(name), flat[at + 1] ?? null] as const] : [])));
}

function toList(reply: RedisReply | undefined): readonly RedisReply[] {
  return Array.isArray(reply) ? reply : [];
}
