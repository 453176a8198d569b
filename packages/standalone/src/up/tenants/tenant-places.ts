/** The folders and the user of each tenant's workers. */
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessUser } from '@switchyard/sidecar';
import type { TenantIsolation } from './tenant-isolation.ts';
import type { TenantUsers } from './tenant-users.ts';

/** Where the workers of one tenant find what is theirs. */
export interface TenantPlace {
  /** Names the place: tenants with the same one share everything here. */
  readonly key: string;
  /** Undefined: they run as this process's user. */
  readonly user: ProcessUser | undefined;
  /** Packages are unpacked here. */
  readonly apps: string;
  /** What the user's programs take for its home and for what is temporary; undefined: the machine's. */
  readonly home: string | undefined;
}

export interface TenantPlacesOptions {
  readonly isolation: TenantIsolation;
  readonly users: Pick<TenantUsers, 'userOf'>;
  /** Nobody else looks inside; packages are unpacked here while no tenant has a user of its own. */
  readonly dataFolder: string;
  /** Everyone may enter it; it has a folder for each tenant, which only its user may enter. */
  readonly tenantsFolder: string;
}

/** Only root writes; the tenant's group enters and reads. */
const groupMode = 0o750;
const privateMode = 0o700;

/** Answers a tenant's place, made when it is first asked for. */
export function createTenantPlaces(options: TenantPlacesOptions): (tenantId: string) => Promise<TenantPlace> {
  const { isolation, users, dataFolder, tenantsFolder } = options;
  const shared = { key: 'shared', user: undefined, apps: join(dataFolder, 'apps'), home: undefined };
  if (isolation.kind === 'shared') return async () => shared;
  const places = new Map<string, Promise<TenantPlace>>();
  const open = async (tenantId: string): Promise<TenantPlace> => {
    const user = await users.userOf(tenantId);
    const folder = join(tenantsFolder, String(user.uid));
    await mkdir(folder, { recursive: true });
    await chown(folder, 0, user.gid);
    await chmod(folder, groupMode);
    const home = join(folder, 'home');
    await mkdir(home, { recursive: true, mode: privateMode });
    await chown(home, user.uid, user.gid);
    return { key: tenantId, user, apps: join(folder, 'apps'), home };
  };
  return (tenantId) => {
    const known = places.get(tenantId);
    if (known !== undefined) return known;
    const opening = open(tenantId);
    places.set(tenantId, opening);
    // A place that could not be made is tried again.
    opening.catch(() => places.delete(tenantId));
    return opening;
  };
}
