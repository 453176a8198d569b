/** For tests of other packages: the storage emulator, and queues and timer statuses in memory. */
export { type Azurite, azuriteHint, findAzurite, startAzurite } from './azurite.ts';
export { MemoryQueues } from './memory-queues.ts';
export { createMemoryTimerStatus } from './memory-timer-status.ts';
export { memoryConnection } from './storage.ts';
