/** Opens the bus that a configuration names. What the others need is loaded only when they are named. */
import type { Clock, Random, Secret } from '@switchyard/kernel';
import type { Bus, InboxEraser } from './contract.ts';
import { openSqliteBus } from './sqlite/sqlite-bus.ts';

export interface BusDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The store's inbox. */
  readonly inbox: InboxEraser;
}

/** Which bus, and where it is. */
export type BusChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'nats'; readonly servers: readonly string[]; readonly replicas?: number }
  | {
      readonly kind: 'serviceBus';
      readonly connectionString: Secret;
      /** Left out, topics and subscriptions are made where they are missing, which needs the right Manage. */
      readonly entities?: 'make' | 'present';
    };

/** @throws PlatformError BUS_UNAVAILABLE; of the embedded bus STORE_FILE_DAMAGED, STORE_FILE_NEWER, STORE_FILE_FOREIGN */
export async function openBus(deps: BusDeps, choice: BusChoice): Promise<Bus> {
  switch (choice.kind) {
    case 'sqlite':
      return openSqliteBus(deps, { file: choice.file });
    case 'nats': {
      const { openNatsBus } = await import('./nats/nats-bus.ts');
      const { servers, replicas } = choice;
      return openNatsBus(deps, { servers, ...(replicas === undefined ? {} : { replicas }) });
    }
    case 'serviceBus': {
      const { openServiceBus } = await import('./service-bus/service-bus.ts');
      const { presentEntities } = await import('./service-bus/provisioner.ts');
      const provisioner = choice.entities === 'present' ? { provisioner: presentEntities } : {};
      return openServiceBus({ ...deps, ...provisioner }, { connectionString: choice.connectionString.reveal() });
    }
  }
}
