/** What tests stand on: virtual time, repeatable randomness, a log that remembers, a scripted worker. Tests only. */
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
export { createMemoryLog, type MemoryLog } from './memory-log.ts';
export { type PartCheck, requirePart } from './missing-part.ts';
export { createSeededRandom } from './seeded-random.ts';
export { VirtualClock } from './virtual-clock.ts';
