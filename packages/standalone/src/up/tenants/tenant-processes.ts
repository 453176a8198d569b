/** How the workers of a tenant are started: as its user, in its home, and followed in what they use. */
import type { ProcessPort } from '@switchyard/sidecar';
import type { TenantPlace } from './tenant-places.ts';
import type { TenantPriorities } from './tenant-priorities.ts';

/** Without priorities nobody looks at what the workers use. */
export function createTenantProcesses(
  processes: ProcessPort,
  priorities: Pick<TenantPriorities, 'follow'> | undefined,
): (place: TenantPlace) => ProcessPort {
  return (place) => {
    const { user, key } = place;
    if (user === undefined) return processes;
    const own = homeVariables(place);
    const asUser: ProcessPort = {
      spawn: (launch, observer) =>
        processes.spawn({ ...launch, user, environment: { ...launch.environment, ...own } }, observer),
    };
    return priorities?.follow(key, asUser) ?? asUser;
  };
}

/** Programs that ask for a home or a place for temporary files get one that is theirs. */
export function homeVariables({ home }: TenantPlace): Record<string, string> {
  return home === undefined ? {} : { HOME: home, TMPDIR: home };
}
