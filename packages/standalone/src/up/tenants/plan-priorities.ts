/** Decides whose workers come second while tenants compete for the processors. */

/** What the workers of a tenant have used lately. */
export interface TenantUse {
  readonly tenantId: string;
  /** Processor time in the window. */
  readonly usedMs: number;
  /** How long ago the tenant was last above its part; undefined: never, or its workers come first again. */
  readonly calmForMs: number | undefined;
}

export interface PriorityOptions {
  readonly windowMs: number;
  /** How long a tenant stays behind after it was last above its part. */
  readonly calmMs: number;
}

export type WorkerPriority = 'normal' | 'low';

/** Below this part of a processor a tenant is not at work. */
const idleShare = 0.01;
/** Below this part of a processor a tenant is in nobody's way. */
const harmlessShare = 0.5;
/** Above an even part by as much as this, a tenant is above its part. */
const tolerance = 1.25;

/** Tenants whose workers come second, and those among them that are above their part right now. */
export interface PriorityPlan {
  readonly low: ReadonlySet<string>;
  readonly above: ReadonlySet<string>;
}

export function planPriorities(uses: readonly TenantUse[], { windowMs, calmMs }: PriorityOptions): PriorityPlan {
  const atWork = uses.filter(({ usedMs }) => usedMs > windowMs * idleShare);
  const total = atWork.reduce((sum, { usedMs }) => sum + usedMs, 0);
  const limitMs = Math.max((total / atWork.length) * tolerance, windowMs * harmlessShare);
  const isAbove = ({ usedMs }: TenantUse): boolean => atWork.length > 1 && usedMs > limitMs;
  const above = new Set(uses.filter(isAbove).map(({ tenantId }) => tenantId));
  const stays = ({ calmForMs }: TenantUse): boolean => calmForMs !== undefined && calmForMs < calmMs;
  const low = uses.filter((use) => above.has(use.tenantId) || (atWork.length > 1 && stays(use)));
  return { low: new Set(low.map(({ tenantId }) => tenantId)), above };
}
