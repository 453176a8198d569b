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
export type { FleetRequest, PlaceholderPlace, RuntimePlace } from './fleet/fleet-state.ts';
export { HeldListeners } from './fleet/held-listeners.ts';
export type { KeptHomes } from './fleet/kept-homes.ts';
export {
  type ListenerAnswer,
  type ListenerGrant,
  ListenerLeases,
  type ListenerLeasesOptions,
} from './fleet/listener-leases.ts';
export { matchStack, type StackMatch } from './fleet/match-stack.ts';
export { type LivingRuntime, planRuntimes, type RuntimeAction, type RuntimeNeeds } from './fleet/plan-runtimes.ts';
export { type FleetView, mayHost, planScaleOut, type ScaleOutPlan } from './fleet/plan-scale-out.ts';
export { planSpread, type Spread, type SpreadPlace, type SpreadRequest } from './fleet/plan-spread.ts';
export { type FleetActions, type ScaleOutDeps, type ScaleOutResult, scaleOut } from './fleet/scale-out.ts';
export { createExternalScaler, type ExternalScalerDeps } from './keda/external-scaler.ts';
export { defaultSupplyLimits, type SupplyLimits } from './limits.ts';
export { type AppScale, defaultPlatformScale, type PlatformScale, policyOf } from './loop/app-policy.ts';
export { createScaleLoop, type ScaleLoop, type ScaleLoopDeps } from './loop/scale-loop.ts';
export type { ObservedVersion, ScaledRuntime, WorkerWish } from './loop/scaled-runtime.ts';
export { sharePlaceholders } from './pool-size.ts';
export {
  createPooledSupply,
  type PooledSupply,
  type PooledSupplyDeps,
  type PooledSupplyOptions,
} from './pooled-supply.ts';
export { type AssignOverHttpDeps, assignOverHttp } from './providers/assign-over-http.ts';
export { createKubernetesApi, type KubernetesApi } from './providers/kubernetes/kubernetes-api.ts';
export { createKubernetesPods, type KubernetesPods } from './providers/kubernetes/kubernetes-pods.ts';
export { type KubernetesPodOptions, toPodManifest } from './providers/kubernetes/pod-manifest.ts';
export { type AgentPods, type AgentPodsOptions, createAgentPods } from './providers/node-agent/agent-pods.ts';
export type { RolloutTraffic } from './rollout/rollout-runner.ts';
export { createRuntimeSupply, type RuntimeSupply } from './runtime-supply.ts';
export {
  openScaleController,
  type ScaleController,
  type ScaleControllerDeps,
  type ScaleControllerOptions,
} from './scale-controller.ts';
export type { PoolOptions, PoolStatus } from './stack-pool.ts';
export type { ScaleStore } from './store/contract.ts';
export { openScaleStore, type ScaleStoreChoice } from './store/open-scale-store.ts';
export { openSqliteStore } from './store/sqlite-store.ts';
