/** Who makes the topics and subscriptions of a namespace. */
import { ServiceBusAdministrationClient } from '@azure/service-bus';
import type { Subscription } from '../contract.ts';

/** How many messages a subscription holds. */
export interface EntityDepth {
  readonly queued: number;
  readonly deadLetters: number;
}

/** Makes entities; what is there already stays. Somebody else may do it (Pulumi, Bicep): then each method does nothing. */
export interface ServiceBusProvisioner {
  ensureTopic(topic: string, duplicateWindowMs: number): Promise<void>;
  ensureSubscription(spec: Subscription): Promise<void>;
  removeSubscription(topic: string, name: string): Promise<void>;
  /** Undefined when it cannot be told. */
  depth(topic: string, name: string): Promise<EntityDepth | undefined>;
}

/** Makes them through the management API of the namespace; the connection string needs the right Manage. */
export function createServiceBusProvisioner(connectionString: string): ServiceBusProvisioner {
  const client = new ServiceBusAdministrationClient(connectionString);
  return {
    async ensureTopic(topic, duplicateWindowMs) {
      if (await client.topicExists(topic)) return;
      await ignoreExisting(
        client.createTopic(topic, {
          requiresDuplicateDetection: true,
          duplicateDetectionHistoryTimeWindow: toDuration(duplicateWindowMs),
        }),
      );
    },
    async ensureSubscription({ topic, name, ordered, lockMs, maxDeliveries }) {
      if (await client.subscriptionExists(topic, name)) return;
      await ignoreExisting(
        client.createSubscription(topic, name, {
          requiresSession: ordered,
          lockDuration: toDuration(lockMs),
          maxDeliveryCount: maxDeliveries,
          deadLetteringOnMessageExpiration: true,
        }),
      );
    },
    async removeSubscription(topic, name) {
      if (await client.subscriptionExists(topic, name)) await client.deleteSubscription(topic, name);
    },
    async depth(topic, name) {
      const found = await client.getSubscriptionRuntimeProperties(topic, name);
      return { queued: found.activeMessageCount, deadLetters: found.deadLetterMessageCount };
    },
  };
}

/** For namespaces whose entities somebody else makes. */
export const presentEntities: ServiceBusProvisioner = {
  ensureTopic: async () => {},
  ensureSubscription: async () => {},
  removeSubscription: async () => {},
  depth: async () => undefined,
};

/** Another control plane may make the same at the same time. */
async function ignoreExisting(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'MessageEntityAlreadyExistsError'))
      throw thrown;
  }
}

/** ISO 8601, in seconds. */
function toDuration(timeMs: number): string {
  return `PT${Math.max(1, Math.round(timeMs / 1_000))}S`;
}
