/** Which functions of an app listen, and so need one Runtime each. */
import type { ListenerGate } from '@switchyard/runtime';
import type { ListenerLeases } from '@switchyard/scale-controller';
import { type FleetApp, servingOf } from './fleet-app.ts';
import type { FleetMember } from './fleet-places.ts';

/** Sources that their listeners share by partitions among themselves. */
const partitionedTriggers: ReadonlySet<string> = new Set(['eventhubtrigger']);

/** True when every Runtime may listen for it. */
export const isPartitioned = (triggerType: string): boolean => partitionedTriggers.has(triggerType.toLowerCase());

/** Which listeners of the Runtime of this process may run. */
export function createLocalGate(leases: ListenerLeases): ListenerGate {
  return {
    mayListen: (applicationId, functionName, triggerType) =>
      isPartitioned(triggerType) || leases.mayListenHere(applicationId, functionName),
    watch: (observer) => leases.watch(observer),
  };
}

/** Lets the Runtimes that serve the app listen for its functions, each for its part. */
export function wantListeners(leases: ListenerLeases, app: FleetApp, members: readonly FleetMember[]): void {
  const listening = members
    .flatMap(({ runtime }) => runtime.status())
    .filter(({ applicationId }) => applicationId === app.applicationId)
    .flatMap(({ functions }) => functions)
    .filter(({ trigger }) => trigger.toLowerCase() !== 'httptrigger' && !isPartitioned(trigger));
  const names = [...new Set(listening.map(({ name }) => name))];
  leases.want(app.applicationId, app.versions.size === 0 ? [] : names, servingOf(app));
}
