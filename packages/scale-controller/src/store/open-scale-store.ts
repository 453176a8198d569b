/** Opens the store that a configuration names. What PostgreSQL needs is loaded only when it is named. */
import type { Secret } from '@switchyard/kernel';
import type { ScaleStore } from './contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

/** Which store, and where it is. */
export type ScaleStoreChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgresql'; readonly connectionString: Secret; readonly schema?: string };

/** @throws PlatformError SCALE_STORE_UNREADABLE, SCALE_DATABASE_UNAVAILABLE */
export async function openScaleStore(choice: ScaleStoreChoice): Promise<ScaleStore> {
  switch (choice.kind) {
    case 'sqlite':
      return openSqliteStore(choice.file);
    case 'postgresql': {
      const { openPostgresqlScaleStore } = await import('./postgresql/pg-scale-store.ts');
      const { connectionString, schema } = choice;
      const named = schema === undefined ? {} : { schema };
      return await openPostgresqlScaleStore({ connectionString: connectionString.reveal(), ...named });
    }
  }
}
