/** What is known of one shard. */
export type ShardView =
  /** Not running; would have to be started. */
  | 'cold'
  /** Running, with room. */
  | 'warm'
  /** Running, without room. */
  | 'full'
  /** Broken or on its way out: takes nobody. */
  | 'closed';

export interface ShardChoice {
  readonly kind: 'shard';
  readonly shard: string;
  /** True when it is not the account's own. */
  readonly fallback: boolean;
}

/** Nobody takes the account now. */
export interface NoShard {
  readonly kind: 'none';
  readonly reason: 'all-busy' | 'all-cold' | 'all-closed';
}

export interface ChooseShard {
  /** The account's order of preference; its own shard first. */
  readonly order: readonly string[];
  /** Where the account was last, while that still counts. */
  readonly sticky: string | undefined;
  readonly allowColdStart: boolean;
  view(shard: string): ShardView;
}

/**
 * Where an account goes: where it was, else its own shard, started if need be; when that is full or closed, the next
 * warm one in its order, and then a cold one. Pure.
 */
export function chooseShard({ order, sticky, allowColdStart, view }: ChooseShard): ShardChoice | NoShard {
  const [own] = order;
  const ranked =
    sticky !== undefined && order.includes(sticky) ? [sticky, ...order.filter((id) => id !== sticky)] : order;
  const views = ranked.map((shard) => ({ shard, state: view(shard) }));
  const usable = (state: ShardView): boolean => state === 'warm' || (state === 'cold' && allowColdStart);
  const [home] = views;
  const chosen =
    home !== undefined && usable(home.state)
      ? home
      : (views.find(({ state }) => state === 'warm') ?? views.find(({ state }) => usable(state)));
  if (chosen !== undefined) return { kind: 'shard', shard: chosen.shard, fallback: chosen.shard !== own };
  if (views.some(({ state }) => state === 'full')) return { kind: 'none', reason: 'all-busy' };
  return { kind: 'none', reason: views.some(({ state }) => state === 'cold') ? 'all-cold' : 'all-closed' };
}
