/** The Service Bus output: messages to a queue or a topic. */
import { messageOf } from '@switchyard/kernel';
import { type BindingExpression, parseBindingExpression } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { bindingDataFrom } from '../binding-data.ts';
import type { OutputBindingKind } from '../contract.ts';
import { toOutgoingBytes, toOutgoingItems } from '../outgoing-items.ts';
import { serviceBusErrors } from './errors.ts';
import { bindingInvalid, parseServiceBusConnection, readName } from './service-bus-binding.ts';
import type { OutgoingServiceBusMessage, ServiceBusConnection, ServiceBusService } from './service-bus-client.ts';

export interface ServiceBusOutputOptions {
  readonly connection: ServiceBusConnection;
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
      const messages = toMessages(value).map((message) => ({ ...message, messageId: random.uuid() }));
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

type Content = Omit<OutgoingServiceBusMessage, 'messageId'>;

function toMessages(value: TypedData): readonly Content[] {
  return toOutgoingItems(value).map((item) => ({ body: toOutgoingBytes(item), contentType: toContentType(item) }));
}

function toContentType(item: unknown): string {
  if (item instanceof Uint8Array) return 'application/octet-stream';
  return typeof item === 'string' ? 'text/plain' : 'application/json';
}
