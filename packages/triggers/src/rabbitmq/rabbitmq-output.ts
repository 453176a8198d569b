/** The RabbitMQ output: messages to a queue, through the default exchange. */
import { messageOf } from '@switchyard/kernel';
import { type BindingExpression, parseBindingExpression } from '@switchyard/model';
import { bindingDataFrom } from '../binding-data.ts';
import type { OutputBindingKind } from '../contract.ts';
import { toOutgoingBytes, toOutgoingItems } from '../outgoing-items.ts';
import { rabbitMqErrors } from './errors.ts';
import { parseQueueName, parseRabbitMqConnection } from './rabbitmq-binding.ts';
import type { RabbitMqConnection, RabbitMqService } from './rabbitmq-client.ts';

export interface RabbitMqOutputOptions {
  readonly connection: RabbitMqConnection;
  readonly queue: BindingExpression;
}

/** Makes the output: a list is several messages; objects are JSON. */
export function createRabbitMqOutput(service: RabbitMqService): OutputBindingKind<RabbitMqOutputOptions> {
  return {
    type: 'rabbitMQ',
    parse(binding, scope) {
      const connection = parseRabbitMqConnection(binding, scope);
      const where = `the queue of function '${scope.function.name}'`;
      return { connection, queue: parseBindingExpression(parseQueueName(binding, scope), where, scope.settings) };
    },
    async write({ connection, queue }, value, bindingData, { clock, random, functionName }) {
      const bodies = toOutgoingItems(value).map(toOutgoingBytes);
      if (bodies.length === 0) return;
      const name = queue.resolve(bindingDataFrom(bindingData), { clock, random, functionName });
      try {
        await service.send(connection, name, bodies);
      } catch (thrown) {
        const details = { function: functionName, queue: name, reason: messageOf(thrown) };
        throw rabbitMqErrors.create('RABBITMQ_SEND_FAILED', details, thrown);
      }
    },
  };
}
