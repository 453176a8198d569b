/** What a Service Bus binding names: an entity and a connection. */
import type { BindingMetadata } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { type NamespaceConnection, readBindingText, readNamespace } from '../namespace/namespace-connection.ts';
import { serviceBusErrors } from './errors.ts';
import type { ServiceBusEntity } from './service-bus-client.ts';

const names = { defaultConnection: 'AzureWebJobsServiceBus', service: 'Service Bus' };

/** Throws SERVICE_BUS_CONNECTION_INVALID. */
export function parseServiceBusConnection(binding: BindingMetadata, scope: BindingScope): NamespaceConnection {
  const read = readNamespace(binding, scope, scope.extensions.serviceBus, names);
  if (read.kind === 'namespace') return read.connection;
  const { problem, setting } = read;
  const details = { function: scope.function.name, binding: binding.name, problem, setting };
  throw serviceBusErrors.create('SERVICE_BUS_CONNECTION_INVALID', details);
}

/** What a trigger listens to. Throws SERVICE_BUS_BINDING_INVALID. */
export function parseServiceBusEntity(binding: BindingMetadata, scope: BindingScope): ServiceBusEntity {
  const [queue, topic, subscription] = ['queueName', 'topicName', 'subscriptionName'].map((key) =>
    readName(key, binding, scope),
  );
  if (queue !== undefined && topic === undefined) return { kind: 'queue', queue };
  if (topic !== undefined && subscription !== undefined && queue === undefined) {
    return { kind: 'subscription', topic, subscription };
  }
  throw bindingInvalid(binding, scope, 'it names neither a queue nor a subscription of a topic, or both');
}

/** The text of a key, its settings filled in; undefined when it is not there. */
export function readName(key: string, binding: BindingMetadata, scope: BindingScope): string | undefined {
  return readBindingText(key, binding, scope, (problem) => bindingInvalid(binding, scope, problem));
}

export function bindingInvalid(binding: BindingMetadata, scope: BindingScope, problem: string): Error {
  const details = { function: scope.function.name, binding: binding.name, problem };
  return serviceBusErrors.create('SERVICE_BUS_BINDING_INVALID', details);
}

export function nameOfEntity(entity: ServiceBusEntity): string {
  return entity.kind === 'queue' ? entity.queue : `${entity.topic}/${entity.subscription}`;
}
