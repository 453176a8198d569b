import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, systemClock } from '@switchyard/kernel';
import type { ProcessPort } from '@switchyard/sidecar';
import { upDefaults } from '../up-options.ts';
import { decideTenantIsolation, type TenantIsolation } from './tenant-isolation.ts';
import { createTenantPlaces, type TenantPlace } from './tenant-places.ts';
import { TenantUsers } from './tenant-users.ts';

export interface TenancyScope {
  readonly log: Log;
  readonly processes: ProcessPort;
  readonly dataFolder: string;
  readonly folders: TenantFolders;
  readonly trusted: boolean;
  readonly firstId: number | undefined;
  /** Programs and files that every worker reads. */
  readonly programs: readonly string[];
}

export interface Tenancy {
  readonly isolation: TenantIsolation;
  readonly placeOf: (tenantId: string) => Promise<TenantPlace>;
}

export interface TenantFolders {
  /** True when this process may start workers as other users. */
  readonly isRoot: boolean;
  /** Beside the data folder, which nobody else may enter. */
  readonly tenants: string;
  /** Placeholders start here; nothing is in it. */
  readonly empty: string;
}

/** Everyone may enter and look, only root may write. */
const publicMode = 0o755;

/** Makes the folders that stand outside of any tenant. */
export async function openTenantFolders(dataFolder: string, { trusted }: { trusted: boolean }): Promise<TenantFolders> {
  const isRoot = process.getuid?.() === 0;
  const tenants = `${dataFolder}-tenants`;
  const empty = join(isRoot && !trusted ? tenants : dataFolder, 'empty');
  await mkdir(empty, { recursive: true });
  if (isRoot && !trusted) for (const folder of [tenants, empty]) await chmod(folder, publicMode);
  return { isRoot, tenants, empty };
}

export async function openTenancy(scope: TenancyScope): Promise<Tenancy> {
  const { log, processes, dataFolder, folders, trusted, programs } = scope;
  const firstId = scope.firstId ?? upDefaults.firstTenantId;
  const isolation = await decideTenantIsolation(
    { clock: systemClock, processes, isRoot: folders.isRoot },
    {
      trusted,
      user: { uid: firstId, gid: firstId },
      executable: process.execPath,
      directory: folders.empty,
      paths: [folders.tenants, folders.empty, ...programs],
    },
  );
  const { kind } = isolation;
  log.write('debug', 'Users of the tenants', {
    kind,
    reason: isolation.kind === 'shared' ? isolation.reason : undefined,
  });
  const users = await TenantUsers.open({ file: join(dataFolder, 'tenants.json'), firstId });
  const placeOf = createTenantPlaces({ isolation, users, dataFolder, tenantsFolder: folders.tenants });
  return { isolation, placeOf };
}
