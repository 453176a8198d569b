import { Secret } from '@switchyard/kernel';
import type { StorageConnection } from '../storage/storage-connection.ts';

/** A connection to an account that exists only in memory. */
export const memoryConnection: StorageConnection = {
  connectionString: new Secret('UseDevelopmentStorage=true'),
  queueEndpoint: 'memory://account',
};
