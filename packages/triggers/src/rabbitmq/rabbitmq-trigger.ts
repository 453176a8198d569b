/** The RabbitMQ trigger: one run for each message of a queue. */
import type { ListenerTriggerKind } from '../contract.ts';
import { parseQueueName, parseRabbitMqConnection } from './rabbitmq-binding.ts';
import type { RabbitMqService } from './rabbitmq-client.ts';
import { RabbitMqListener, type RabbitMqTriggerOptions } from './rabbitmq-listener.ts';

/** What a count of 0, which means any number to the broker, becomes here. */
const mostPrefetched = 1_000;

export function createRabbitMqTrigger(service: RabbitMqService): ListenerTriggerKind<RabbitMqTriggerOptions> {
  return {
    style: 'listener',
    type: 'rabbitMQTrigger',
    parse(binding, scope) {
      const { prefetchCount } = scope.extensions.rabbitMQ;
      return {
        connection: parseRabbitMqConnection(binding, scope),
        queue: parseQueueName(binding, scope),
        prefetchCount: prefetchCount === 0 ? mostPrefetched : prefetchCount,
        dataType: binding.dataType,
      };
    },
    listen: (options, context) => new RabbitMqListener(service, options, context),
  };
}
