import {
  createAzureBlobService,
  createAzureEventHubs,
  createAzureQueueService,
  createAzureServiceBus,
  createAzureTableService,
  createKinds,
  createProcessLocks,
  createRabbitMq,
  createRedis,
} from '@switchyard/triggers';
import type { AppFacts } from './app-facts.ts';

/** What can be bound, as `switchyard dev` has it. Nothing is opened: the services do nothing before they are used. */
export function supportedKinds(): AppFacts['supported'] {
  const kinds = createKinds({
    queues: createAzureQueueService(),
    blobs: createAzureBlobService(),
    tables: createAzureTableService(),
    locks: createProcessLocks(),
    serviceBus: createAzureServiceBus(),
    rabbitMq: createRabbitMq(),
    eventHubs: createAzureEventHubs(),
    redis: createRedis(),
    timerStatus: { read: async () => undefined, write: async () => {} },
  });
  return {
    triggers: kinds.supportedTriggerTypes(),
    inputs: kinds.supportedInputTypes(),
    outputs: kinds.supportedOutputTypes(),
  };
}
