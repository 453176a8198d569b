/** Pools of placeholders, and the supply that turns them into the workers of apps. */
export { scaleErrors } from './errors.ts';
export { defaultSupplyLimits, type SupplyLimits } from './limits.ts';
export {
  createPooledSupply,
  type PooledSupply,
  type PooledSupplyDeps,
  type PooledSupplyOptions,
} from './pooled-supply.ts';
export type { PoolOptions, PoolStatus } from './stack-pool.ts';
