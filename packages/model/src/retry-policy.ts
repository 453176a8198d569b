/** The retry policy of a function or of host.json, in its two spellings. */
import { modelErrors } from './errors.ts';
import type { RetryPolicy } from './function-metadata.ts';
import { describeValue, isJsonObject, type JsonObject, readKey } from './json-text.ts';
import { parseTimeSpan } from './time-span.ts';

/** `retry_options` as a worker sends them (RpcRetryOptions). */
export interface RpcRetry {
  readonly maxRetryCount: number;
  readonly delayInterval: RpcDuration | undefined;
  readonly minimumInterval: RpcDuration | undefined;
  readonly maximumInterval: RpcDuration | undefined;
  /** 0 is exponential back-off, 1 is a fixed delay. */
  readonly retryStrategy: number;
}

/** A google.protobuf.Duration. */
export interface RpcDuration {
  readonly seconds: bigint;
  readonly nanos: number;
}

const strategies = ['fixedDelay', 'exponentialBackoff'] as const;

/**
 * Parses a `retry` object of function.json or host.json, whose durations are TimeSpans; `where` names it in errors.
 * @throws PlatformError RETRY_INVALID
 */
export function parseRetryJson(value: unknown, where: string): RetryPolicy {
  if (!isJsonObject(value)) throw invalid(where, 'retry', describeValue(value), 'an object');
  const given = readKey(value, 'strategy');
  const strategy = strategies.find((name) => typeof given === 'string' && name.toLowerCase() === given.toLowerCase());
  if (strategy === undefined) throw invalid(where, 'retry.strategy', describeValue(given), strategies.join(' or '));
  const count = readKey(value, 'maxRetryCount');
  const maxRetryCount = typeof count === 'string' && /^-?\d{1,9}$/.test(count) ? Number(count) : count;
  if (typeof maxRetryCount !== 'number') throw invalid(where, 'retry.maxRetryCount', describeValue(count), countRange);
  if (strategy === 'fixedDelay') {
    return check({ strategy, maxRetryCount, delayMs: readDuration(value, 'delayInterval', where) }, where);
  }
  const minimumMs = readDuration(value, 'minimumInterval', where);
  return check({ strategy, maxRetryCount, minimumMs, maximumMs: readDuration(value, 'maximumInterval', where) }, where);
}

/**
 * Maps the retry options that a worker sent for a function.
 * @throws PlatformError RETRY_INVALID
 */
export function fromRpcRetry(retry: RpcRetry, where: string): RetryPolicy {
  const { maxRetryCount } = retry;
  const toMs = (duration: RpcDuration | undefined, key: string): number => {
    if (duration === undefined) throw invalid(where, `retryOptions.${key}`, 'missing', 'a duration');
    return Number(duration.seconds) * 1_000 + duration.nanos / 1_000_000;
  };
  if (retry.retryStrategy === 1) {
    return check({ strategy: 'fixedDelay', maxRetryCount, delayMs: toMs(retry.delayInterval, 'delayInterval') }, where);
  }
  const minimumMs = toMs(retry.minimumInterval, 'minimumInterval');
  const maximumMs = toMs(retry.maximumInterval, 'maximumInterval');
  return check({ strategy: 'exponentialBackoff', maxRetryCount, minimumMs, maximumMs }, where);
}

const countRange = 'a whole number of at least -1, which means for ever';

function check(policy: RetryPolicy, where: string): RetryPolicy {
  const { maxRetryCount } = policy;
  if (!Number.isSafeInteger(maxRetryCount) || maxRetryCount < -1) {
    throw invalid(where, 'retry.maxRetryCount', String(maxRetryCount), countRange);
  }
  if (policy.strategy === 'fixedDelay') {
    if (policy.delayMs < 0)
      throw invalid(where, 'retry.delayInterval', `${policy.delayMs} ms`, 'a duration of at least 0');
  } else if (policy.minimumMs < 0 || policy.maximumMs < policy.minimumMs) {
    const given = `${policy.minimumMs} ms with a maximum of ${policy.maximumMs} ms`;
    throw invalid(where, 'retry.minimumInterval', given, 'at least 0 and no more than the maximumInterval');
  }
  return policy;
}

function readDuration(retry: JsonObject, key: string, where: string): number {
  const value = readKey(retry, key);
  const durationMs = typeof value === 'string' ? parseTimeSpan(value) : undefined;
  if (durationMs === undefined) throw invalid(where, `retry.${key}`, describeValue(value), 'a duration as "hh:mm:ss"');
  return durationMs;
}

function invalid(where: string, key: string, value: string, expected: string): Error {
  return modelErrors.create('RETRY_INVALID', {
    where,
    key,
    value: value === 'undefined' ? 'missing' : value,
    expected,
  });
}
