import type { LeaseOptions } from '../leases/lease-table.ts';
import type { HostPoolOptions } from '../pool/host-pool.ts';
import type { BulkheadOptions } from '../resilience/bulkheads.ts';
import type { BreakerOptions } from '../resilience/circuit-breakers.ts';
import type { ShardStrategy } from '../sharding/shard-order.ts';
import type { StickyOptions } from '../sharding/sticky-accounts.ts';
import type { IdleGapOptions } from '../warmth/idle-gaps.ts';

/** Every limit of a broker. */
export interface BrokerOptions {
  readonly leases: LeaseOptions;
  readonly pool: HostPoolOptions;
  readonly breaker: BreakerOptions;
  readonly bulkhead: BulkheadOptions;
  readonly sticky: StickyOptions;
  readonly shardStrategy: ShardStrategy;
  /** A shard with so many leases takes no more while another is free. */
  readonly maxLeasesPerShard: number;
  readonly warmth: IdleGapOptions & { readonly intervalMs: number };
}

const gigabyte = 1024 ** 3;

/** What holds when nobody says anything. */
export const defaultBrokerOptions: BrokerOptions = {
  leases: { ttlMs: 5 * 60_000, maxPerAccount: 1_000 },
  pool: { memoryBudgetBytes: gigabyte, loadTimeoutMs: 30_000, probeIntervalMs: 2_000, hangMs: 5_000 },
  breaker: { window: 20, minimumCalls: 5, holdMs: 10_000 },
  bulkhead: { concurrent: 16, queued: 64 },
  sticky: { ttlMs: 30 * 60_000, maxEntries: 100_000 },
  shardStrategy: 'rendezvous',
  maxLeasesPerShard: 256,
  warmth: { fixedKeepAliveMs: 10 * 60_000, minSamples: 10, intervalMs: 60_000 },
};
