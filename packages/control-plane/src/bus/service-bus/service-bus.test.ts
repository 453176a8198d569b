import { systemClock } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { openAmqpPeer } from '@switchyard/testkit/amqp';
import { describeBusContract, type OpenedBus } from '../testing/bus-contract.ts';
import { openServiceBus } from './service-bus.ts';

/** The official client against a broker of this shape on loopback; what the namespace would make, the peer makes. */
async function open(): Promise<OpenedBus> {
  const peer = await openAmqpPeer();
  const forgotten: string[] = [];
  const bus = openServiceBus(
    {
      clock: systemClock,
      random: createSeededRandom(1),
      inbox: {
        forget: async (subscription, ids) => {
          forgotten.push(...ids.map((id) => `${subscription}/${id}`));
        },
      },
      provisioner: {
        ensureTopic: async (topic, duplicateWindowMs) => peer.declareTopic(topic, { duplicateWindowMs }),
        ensureSubscription: async ({ topic, name, lockMs, maxDeliveries, ordered }) => {
          const options = { lockMs, maxDeliveryCount: maxDeliveries, requiresSession: ordered };
          peer.declareSubscription(topic, name, options);
        },
        removeSubscription: async (topic, name) => {
          peer.removeSubscription(topic, name);
        },
        depth: async (topic, name) => peer.depth(topic, name),
      },
    },
    { connectionString: peer.connectionString },
  );
  return {
    bus,
    topic: 'runtime-events',
    forgotten,
    now: () => systemClock.now(),
    run: (promise) => promise,
    close: async () => {
      await bus.close();
      await peer.close();
    },
  };
}

describeBusContract('the bus on Service Bus', open, { lockMs: 1_500, quietMs: 300, tellsDuplicates: false });
