import { ServiceBusAdministrationClient } from '@azure/service-bus';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createSeededRandom, requireOptionalPart } from '@switchyard/testkit';
import { openAmqpPeer } from '@switchyard/testkit/amqp';
import { describe } from 'vitest';
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

/** A namespace of yours, standard tier or higher, for which the connection string has the right Manage. */
const namespace = process.env.SWITCHYARD_TEST_SERVICE_BUS ?? '';

/** Each test has a topic of its own, which is removed with its subscriptions when the test ends. */
async function openReal(): Promise<OpenedBus> {
  const forgotten: string[] = [];
  const inbox = {
    forget: async (subscription: string, ids: readonly string[]) => {
      forgotten.push(...ids.map((id) => `${subscription}/${id}`));
    },
  };
  const deps = { clock: systemClock, random: createSeededRandom(1), inbox };
  const bus = openServiceBus(deps, { connectionString: namespace });
  const topic = `sy-test-${systemRandom.uuid().slice(0, 13)}`;
  return {
    bus,
    topic,
    forgotten,
    now: () => systemClock.now(),
    run: (promise) => promise,
    close: async () => {
      await bus.close();
      await new ServiceBusAdministrationClient(namespace).deleteTopic(topic);
    },
  };
}

const part = requireOptionalPart(
  'a namespace of Azure Service Bus',
  namespace !== '',
  'Give its connection string in SWITCHYARD_TEST_SERVICE_BUS.',
);

describe.skipIf(part.skip)('a real namespace', () => {
  // Locks of the real thing last 5 seconds at least, and its network takes its time.
  describeBusContract('the bus on Azure', openReal, { lockMs: 5_000, quietMs: 3_000, tellsDuplicates: false });
});

describeBusContract('the bus on Service Bus', open, { lockMs: 2_500, quietMs: 300, tellsDuplicates: false });
