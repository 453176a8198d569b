/**
 * What tests stand on: virtual time, repeatable randomness, a log that remembers, a scripted worker, a scripted host.
 * Tests only.
 */
export { type AppFolder, createAppFolder } from './app-folder.ts';
export { type BusyDatabase, keepDatabaseBusy } from './busy-database.ts';
export {
  type FakeFunction,
  failureResult,
  invocationFailure,
  invocationSuccess,
  successResult,
  toRpcFunctionMetadata,
} from './fake-functions.ts';
export {
  createFakeWorker,
  type FakeWorker,
  type FakeWorkerOptions,
  type FakeWorkerScript,
  type MessageBody,
  type MessageCase,
  type MessageContent,
} from './fake-worker.ts';
export { freePort } from './free-port.ts';
export {
  type IngestionPeer,
  type PeerAnswer,
  type ReceivedEnvelope,
  startIngestionPeer,
} from './ingestion-peer.ts';
export { isProcessAlive } from './is-process-alive.ts';
export { createMemoryLog, type MemoryLog } from './memory-log.ts';
export { type PartCheck, requireOptionalPart, requirePart } from './missing-part.ts';
export { ScriptedHost } from './scripted-host.ts';
export { openScriptedHostServer, type ScriptedHostServer } from './scripted-host-server.ts';
export { createSeededRandom } from './seeded-random.ts';
export { type Chance, createChance } from './simulator/chance.ts';
export { createEventLog, type EventLog } from './simulator/event-log.ts';
export { createFaultyLink, type FaultyLink, type FaultyLinkOptions } from './simulator/faulty-link.ts';
export { createMortalClock, type MortalClock } from './simulator/mortal-clock.ts';
export { type Delivery, PeekLockQueue, type PeekLockQueueOptions } from './simulator/peek-lock-queue.ts';
export { chooseSeeds, describeFailedSeed, type SeedRun, seedVariable } from './simulator/seeds.ts';
export { VirtualClock } from './virtual-clock.ts';
