import { planSpread, type Spread } from '@switchyard/scale-controller';
import { versionKey } from '../up/versions/deployed-version.ts';
import { type FleetApp, type FleetVersion, homesOf } from './fleet-app.ts';
import type { FleetPlaces } from './fleet-places.ts';
import type { HostRuntime } from './host-runtime.ts';

const workersPerRuntime = 20;

/** How the workers of a version are shared among the Runtimes that may have it, by what its host.json says; and whether it may grow. */
export function spreadVersion(
  app: FleetApp,
  { application, wish, counts }: FleetVersion,
  { places, load }: { readonly places: FleetPlaces; readonly load: HostRuntime['load'] },
): Spread & { readonly isStrict: boolean } {
  const key = versionKey(application.definition);
  const model = load(app.applicationId).find(({ definition }) => versionKey(definition) === key)?.workerModel;
  const { workerAffinityMode: affinity = 'none', maxWorkersPerRuntime, minWorkersPerRuntime } = model ?? {};
  const spread = planSpread({
    ...{ count: wish?.count ?? 0, homes: homesOf(app), current: counts, affinity },
    places: places.of(app).map((member) => ({
      runtimeId: member.runtimeId,
      room: places.roomOf(member) + (counts.get(member.runtimeId) ?? 0),
    })),
    maxPerRuntime: maxWorkersPerRuntime ?? workersPerRuntime,
    minPerRuntime: minWorkersPerRuntime ?? 1,
  });
  return { ...spread, isStrict: affinity === 'strict' };
}
