/** Opens the store that a configuration names. What PostgreSQL needs is loaded only when it is named. */
import type { Clock, Secret } from '@switchyard/kernel';
import type { Quotas, Store } from './contract.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

/** Which store, and where it is. */
export type StoreChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgresql'; readonly connectionString: Secret; readonly schema?: string };

export interface StoreOptions {
  readonly quotas?: Quotas;
}

/** @throws PlatformError STORE_UNAVAILABLE, STORE_FILE_DAMAGED, STORE_FILE_NEWER, STORE_FILE_FOREIGN */
export async function openStore(
  deps: { readonly clock: Pick<Clock, 'now'> },
  choice: StoreChoice,
  options: StoreOptions = {},
): Promise<Store> {
  switch (choice.kind) {
    case 'sqlite':
      return openSqliteStore(deps, { file: choice.file, ...options });
    case 'postgresql': {
      const { openPostgresqlStore } = await import('./postgresql/pg-store.ts');
      const { connectionString, schema } = choice;
      const named = schema === undefined ? {} : { schema };
      // The database's own time decides, not that of this host.
      return openPostgresqlStore({ connectionString: connectionString.reveal(), ...named, ...options });
    }
  }
}
