/** The three Redis triggers: channels, lists and streams. */
import type { BindingMetadata } from '@switchyard/model';
import type { BindingScope, ListenerTriggerKind, TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { textData, toTypedData } from '../typed-data.ts';
import { bindingInvalid, readCount, readFlag, readText } from './redis-binding.ts';
import { RedisChannelListener, type RedisChannelOptions } from './redis-channel-listener.ts';
import { type RedisService, toText } from './redis-client.ts';
import { parseRedisConnection } from './redis-connection.ts';
import { createRedisListSource, type RedisListOptions } from './redis-list-source.ts';
import { RedisPollingListener, type RedisPollingOptions } from './redis-polling-listener.ts';
import { createRedisStreamSource, type RedisStreamOptions } from './redis-stream-source.ts';

type ChannelOptions = RedisChannelOptions & { readonly givesBytes: boolean };

export function createRedisPubSubTrigger(service: RedisService): ListenerTriggerKind<ChannelOptions> {
  return {
    style: 'listener',
    type: 'redisPubSubTrigger',
    parse: (binding, scope) => ({
      connection: parseRedisConnection(binding, scope),
      channel: readText('channel', binding, scope),
      isPattern: readFlag('pattern', binding, scope),
      givesBytes: binding.dataType === 'binary' || binding.dataType === 'stream',
    }),
    listen: (options, context) =>
      new RedisChannelListener(service, options, context, (channel, message) =>
        toChannelEvent(channel, message, options),
      ),
  };
}

export function createRedisListTrigger(
  service: RedisService,
): ListenerTriggerKind<RedisPollingOptions & RedisListOptions> {
  return {
    style: 'listener',
    type: 'redisListTrigger',
    parse: (binding, scope) => ({ ...parsePolling(binding, scope), direction: parseDirection(binding, scope) }),
    listen: (options, context) => {
      const owner = `${context.hostId}.${context.functionName}`;
      return new RedisPollingListener(service, createRedisListSource(options, owner), options, context);
    },
  };
}

export function createRedisStreamTrigger(
  service: RedisService,
): ListenerTriggerKind<RedisPollingOptions & RedisStreamOptions> {
  return {
    style: 'listener',
    type: 'redisStreamTrigger',
    parse: parsePolling,
    listen: (options, context) => {
      const source = createRedisStreamSource(options, `Host.Functions.${context.functionName}`);
      return new RedisPollingListener(service, source, options, context);
    },
  };
}

function parsePolling(binding: BindingMetadata, scope: BindingScope): RedisPollingOptions & RedisStreamOptions {
  return {
    connection: parseRedisConnection(binding, scope),
    key: readText('key', binding, scope),
    pollingIntervalMs: readCount('pollingIntervalInMs', 1_000, 1, binding, scope),
    maxBatchSize: readCount('maxBatchSize', 16, 1, binding, scope),
    isBatch: String(binding.raw.cardinality ?? 'one').toLowerCase() === 'many',
    dataType: binding.dataType,
  };
}

/** `listDirection`, or the flag that stood for it in older versions of the extension. */
function parseDirection(binding: BindingMetadata, scope: BindingScope): 'LEFT' | 'RIGHT' {
  const { listDirection, listPopFromBeginning } = binding.raw;
  if (listDirection === undefined && listPopFromBeginning !== undefined) {
    return readFlag('listPopFromBeginning', binding, scope) ? 'LEFT' : 'RIGHT';
  }
  const direction = String(listDirection ?? 'LEFT').toUpperCase();
  if (direction === 'LEFT' || direction === 'RIGHT') return direction;
  throw bindingInvalid(
    binding,
    scope,
    `"listDirection" is ${JSON.stringify(listDirection)}, but it must be LEFT or RIGHT`,
  );
}

function toChannelEvent(channel: string, message: Uint8Array, options: ChannelOptions): TriggerEvent {
  const metadata = new TriggerMetadata();
  const text = toText(message);
  metadata.set('SubscriptionChannel', textData(options.channel));
  metadata.set('Channel', textData(channel));
  metadata.set('Message', textData(text));
  return {
    data: options.givesBytes ? toTypedData(message) : textData(text),
    metadata: metadata.entries,
    reason: `New message on the Redis channel '${channel}'.`,
  };
}
