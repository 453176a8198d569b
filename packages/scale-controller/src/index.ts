/** Pools of placeholders, the supply out of them, and the controller that decides how many workers an app gets. */
export { decide, type ScaleClamp, type ScaleDecision, type ScaleMemory } from './decide/decide.ts';
export { explainDecision } from './decide/explain-decision.ts';
export type { ScaleRule } from './decide/rules.ts';
export {
  defaultScalePolicy,
  defaultScaleTuning,
  type ScalePolicy,
  type ScaleTuning,
} from './decide/scale-policy.ts';
export { type FunctionLoad, quietSignals, type ScaleSignals, type SourceBacklog } from './decide/signals.ts';
export { scaleErrors } from './errors.ts';
export { createExternalScaler, type ExternalScalerDeps } from './keda/external-scaler.ts';
export { defaultSupplyLimits, type SupplyLimits } from './limits.ts';
export { type AppScale, defaultPlatformScale, type PlatformScale, policyOf } from './loop/app-policy.ts';
export type { WorkerUsage } from './loop/observation.ts';
export { createScaleLoop, type ScaleLoop, type ScaleLoopDeps } from './loop/scale-loop.ts';
export type { ObservedVersion, ScaledRuntime, WorkerWish } from './loop/scaled-runtime.ts';
export {
  createPooledSupply,
  type PooledSupply,
  type PooledSupplyDeps,
  type PooledSupplyOptions,
} from './pooled-supply.ts';
export type { RolloutTraffic } from './rollout/rollout-runner.ts';
export {
  openScaleController,
  type ScaleController,
  type ScaleControllerDeps,
  type ScaleControllerOptions,
} from './scale-controller.ts';
export type { PoolOptions, PoolStatus } from './stack-pool.ts';
export type { ScaleStore } from './store/contract.ts';
export { openSqliteStore } from './store/sqlite-store.ts';
