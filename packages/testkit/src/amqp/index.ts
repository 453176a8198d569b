/** A local AMQP 1.0 broker for tests. Apart from the rest of the testkit, because loading it takes time. */
export type { AmqpEntityOptions } from './amqp-entities.ts';
export type { AmqpEventHub, HubEvent } from './amqp-event-hub.ts';
export { type AmqpClaim, type AmqpPeer, type AmqpPeerDeps, openAmqpPeer } from './amqp-peer.ts';
export type { AmqpOutcome, AmqpQueue, AmqpQueueOptions, QueuedMessage } from './amqp-queue.ts';
export type { AmqpRule, AmqpRuleFilter, AmqpSubscription } from './amqp-topic.ts';
