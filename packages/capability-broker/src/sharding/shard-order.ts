import { hashCode, mixedHash } from './hash-text.ts';

/** How accounts are spread over shards. */
export type ShardStrategy = 'rendezvous' | 'modulo';

/** The id of one shard: `ml.infer:shard-3`. */
export function shardId(capability: string, index: number): string {
  return `${capability}:shard-${index}`;
}

/** The founding document's formula. Negative hashes count by their absolute value. */
export function getShardId(capability: string, accountId: string, shardCount: number): string {
  return shardId(capability, Math.abs(hashCode(`${capability}:${accountId}`)) % shardCount);
}

/**
 * All shards of a capability in the order in which an account prefers them: the first is its own, the others take over
 * in turn. With `rendezvous` a new shard only takes accounts, and moves none between the old ones; with `modulo` the
 * first is the founding document's and the others follow by number.
 */
export function shardOrder(
  strategy: ShardStrategy,
  capability: string,
  accountId: string,
  shardCount: number,
): string[] {
  const all = Array.from({ length: shardCount }, (_, index) => shardId(capability, index));
  if (strategy === 'modulo') {
    const first = all.indexOf(getShardId(capability, accountId, shardCount));
    return [...all.slice(first), ...all.slice(0, first)];
  }
  const weights = new Map(all.map((id) => [id, mixedHash(`${accountId}|${id}`)]));
  return all.sort((left, right) => (weights.get(right) ?? 0) - (weights.get(left) ?? 0) || (left < right ? -1 : 1));
}

/** An account's place in the roll-outs of a capability, in [0, 100): always the same, so it never goes back and forth. */
export function rolloutBucket(capability: string, accountId: string): number {
  return mixedHash(`rollout|${capability}|${accountId}`) % 100;
}
