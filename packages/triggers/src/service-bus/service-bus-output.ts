/** The Service Bus output: messages to a queue or a topic. */
import { messageOf } from '@switchyard/kernel';
import { type BindingExpression, parseBindingExpression } from '@switchyard/model';
import { bindingDataFrom } from '../binding-data.ts';
import type { OutputBindingKind } from '../contract.ts';
import { toMessageContents } from '../message-content.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { serviceBusErrors } from './errors.ts';
import { bindingInvalid, parseServiceBusConnection, readName } from './service-bus-binding.ts';
import type { ServiceBusService } from './service-bus-client.ts';

export interface ServiceBusOutputOptions {
  readonly connection: NamespaceConnection;
  readonly entity: BindingExpression;
}

/** Makes the output: a list is several messages; objects are JSON. */
export function createServiceBusOutput(service: ServiceBusService): OutputBindingKind<ServiceBusOutputOptions> {
  return {
    type: 'serviceBus',
    parse(binding, scope) {
      const connection = parseServiceBusConnection(binding, scope);
      const name = readName('queueName', binding, scope) ?? readName('topicName', binding, scope);
      if (name === undefined) throw bindingInvalid(binding, scope, 'it names neither a queue nor a topic');
      const where = `the queue or topic of function '${scope.function.name}'`;
      return { connection, entity: parseBindingExpression(name, where, scope.settings) };
    },
    async write({ connection, entity }, value, bindingData, { clock, random, functionName }) {
      const messages = toMessageContents(value).map((message) => ({ ...message, messageId: random.uuid() }));
      if (messages.length === 0) return;
      const name = entity.resolve(bindingDataFrom(bindingData), { clock, random, functionName });
      try {
        await service.send(connection, name, messages);
      } catch (thrown) {
        const details = { function: functionName, entity: name, reason: messageOf(thrown) };
        throw serviceBusErrors.create('SERVICE_BUS_SEND_FAILED', details, thrown);
      }
    },
  };
}
