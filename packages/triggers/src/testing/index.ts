/** For tests of other packages: the storage emulator, and queues, blobs, tables and timer statuses in memory. */
export { type Azurite, azuriteHint, findAzurite, planAzurite, startAzurite } from './azurite.ts';
export { MemoryBlobs } from './memory-blobs.ts';
export { MemoryQueues } from './memory-queues.ts';
export { MemoryTables } from './memory-tables.ts';
export { createMemoryTimerStatus } from './memory-timer-status.ts';
export { memoryConnection } from './storage.ts';
