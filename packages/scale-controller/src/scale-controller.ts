/** The scale controller as a composition root opens it: its loop, its roll-outs, and what the control API asks of them. */
import type { Clock, Log, Meter, Random } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type { WorkerUsage } from '@switchyard/protocol';
import type {
  ChangeRollout,
  RolloutAnswer,
  ScaleView,
  StartRollout,
  TenantQuota,
  TenantQuotaView,
} from '@switchyard/protocol/control-api';
import { type KeptHomes, openKeptHomes } from './fleet/kept-homes.ts';
import type { AppScale, PlatformScale } from './loop/app-policy.ts';
import { openSaidOfScale, type SaidOfScale } from './loop/said-of-scale.ts';
import { createScaleLoop, type ScaleLoop } from './loop/scale-loop.ts';
import type { ScaledRuntime } from './loop/scaled-runtime.ts';
import {
  createRolloutRunner,
  type RolloutAsker,
  type RolloutRequest,
  type RolloutRunner,
  type RolloutTraffic,
} from './rollout/rollout-runner.ts';
import { openSourceWatch, type SourceRuntime, type SourceWatch } from './sources/source-watch.ts';
import type { ScaleStore } from './store/contract.ts';
import { type Lease, openLease } from './store/leases.ts';
import { toQuotaView, toRolloutAnswer, toScaleView } from './views.ts';

export interface ScaleControllerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  /** What outlives the controller. It is closed by whoever opened it. */
  readonly store: ScaleStore;
  readonly runtime: ScaledRuntime & SourceRuntime;
  /** The catalog's traffic. */
  readonly traffic: RolloutTraffic;
  /** The upper ends of the classes in which the Runtime counts durations. */
  readonly durationClassesMs: readonly number[];
  /** The catalog's name of a version that the Runtime knows by another. */
  readonly catalogVersionOf?: (codeVersion: string) => string;
  readonly usageOf?: (workerId: string) => WorkerUsage | undefined;
  /** The pools, which fill ahead of what was decided. */
  readonly pools?: { announce(stack: Stack, count: number): void };
}

export interface ScaleControllerOptions {
  readonly intervalMs?: number;
  readonly platform?: PlatformScale;
}

export interface ScaleController {
  view(applicationId: string): Promise<ScaleView>;
  /** The part of the view that the owner of the app has said. */
  said(applicationId: string): Pick<ScaleView, 'scale' | 'revision'>;
  /** The mean share of their processors that the workers of a version use; undefined where nobody knows it. */
  cpuShareOf(definition: ApplicationDefinition): number | undefined;
  /** What the owner of an app has said. */
  scaleOf(applicationId: string): AppScale;
  put(applicationId: string, scale: AppScale, revision: number | undefined): Promise<ScaleView>;
  quota(tenantId: string): Promise<TenantQuotaView>;
  putQuota(tenantId: string, quota: TenantQuota, revision: number | undefined): Promise<TenantQuotaView>;
  rollout(applicationId: string): Promise<RolloutAnswer | undefined>;
  startRollout(applicationId: string, request: StartRollout, by?: RolloutAsker): Promise<RolloutAnswer>;
  changeRollout(applicationId: string, action: ChangeRollout['action'], by?: RolloutAsker): Promise<RolloutAnswer>;
  /** On which Runtimes apps are, also after a restart. */
  readonly homes: KeptHomes;
  /** Forgets an app that was deleted. */
  forget(applicationId: string): Promise<void>;
  /** Ends its looks and gives its lease back. Kills no worker. */
  close(): Promise<void>;
}

/** Reads the store and begins to look. Rejects when the store cannot be read. */
export async function openScaleController(
  deps: ScaleControllerDeps,
  options: ScaleControllerOptions = {},
): Promise<ScaleController> {
  const { clock, random, log: given, store } = deps;
  const log = given.child({ category: 'Host.Scale' });
  const said = await openSaidOfScale({ clock, log, store });
  const lease = openLease({ clock, log, store }, { name: 'controller', holder: random.uuid() });
  const mayDecide = (): boolean => lease.token !== undefined;
  const homes = await openKeptHomes({ clock, log, store, mayDecide });
  const { pools, runtime } = deps;
  const awakeApps = (): ReadonlySet<string> =>
    new Set(runtime.load().map(({ definition }) => definition.applicationId));
  const sources = openSourceWatch({ clock, log, runtime, awakeApps, mayDecide });
  const loop: ScaleLoop = createScaleLoop(
    {
      ...deps,
      log,
      mayDecide,
      scaleOf: (applicationId) => said.scales.get(applicationId).body,
      quotaOf: (tenantId) => said.quotas.get(tenantId).body.workers,
      keepers: () => new Set([...said.keepers(), ...sources.waitingApps()]),
      sourcesOf: (applicationId) => sources.of(applicationId),
      ...(pools === undefined ? {} : { announce: (stack, count) => pools.announce(stack, count) }),
    },
    options,
  );
  const rollouts: RolloutRunner = createRolloutRunner({ ...deps, log, mayDecide });
  return toController(deps, { said, homes, lease, sources, loop, rollouts });
}

interface Parts {
  readonly said: SaidOfScale;
  readonly homes: KeptHomes;
  readonly lease: Lease;
  readonly sources: SourceWatch;
  readonly loop: ScaleLoop;
  readonly rollouts: RolloutRunner;
}

/** What the control API asks of the parts. */
function toController(
  { runtime, store, catalogVersionOf = (version) => version }: ScaleControllerDeps,
  { said, homes, lease, sources, loop, rollouts }: Parts,
): ScaleController {
  const view = (applicationId: string): ScaleView =>
    toScaleView(
      said.scales.get(applicationId),
      loop.explain(applicationId),
      loop.changesOf(applicationId),
      catalogVersionOf,
    );
  const quotaView = (tenantId: string): TenantQuotaView => {
    const versions = runtime.load().filter((version) => version.tenantId === tenantId);
    return toQuotaView(said.quotas.get(tenantId), versions);
  };
  return {
    view: async (applicationId) => view(applicationId),
    said(applicationId) {
      const { body, revision } = said.scales.get(applicationId);
      return { scale: { ...body }, revision };
    },
    cpuShareOf: (definition) => loop.cpuShareOf(definition),
    scaleOf: (applicationId) => said.scales.get(applicationId).body,
    async put(applicationId, scale, revision) {
      await said.scales.put(applicationId, scale, revision);
      loop.tick();
      return view(applicationId);
    },
    quota: async (tenantId) => quotaView(tenantId),
    async putQuota(tenantId, quota, revision) {
      await said.quotas.put(tenantId, quota, revision);
      loop.tick();
      return quotaView(tenantId);
    },
    async rollout(applicationId) {
      const found = await rollouts.get(applicationId);
      return found && toRolloutAnswer(found);
    },
    startRollout: async (applicationId, request, by) =>
      toRolloutAnswer(await rollouts.start(applicationId, toRequest(request), by)),
    changeRollout: async (applicationId, action, by) => toRolloutAnswer(await rollouts.act(applicationId, action, by)),
    homes,
    async forget(applicationId) {
      loop.forget(applicationId);
      await homes.forget(applicationId);
      await said.scales.forget(applicationId);
      const rollout = await store.read('rollout', applicationId);
      if (rollout !== undefined) await store.remove('rollout', applicationId, rollout.revision);
    },
    async close() {
      loop.close();
      sources.close();
      rollouts.close();
      said.close();
      homes.freeze();
      await homes.settled();
      await lease.release();
    },
  };
}

function toRequest({ to, strategy = 'canary', steps, holdSeconds, gate }: StartRollout): RolloutRequest {
  return {
    ...{ to, strategy },
    ...(steps === undefined
      ? {}
      : { steps: steps.map(({ weight, holdSeconds: seconds }) => ({ weight, holdMs: seconds * 1_000 })) }),
    ...(holdSeconds === undefined ? {} : { holdMs: holdSeconds * 1_000 }),
    ...(gate === undefined ? {} : { gate }),
  };
}
