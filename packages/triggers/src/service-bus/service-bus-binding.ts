/** What a Service Bus binding names: an entity and a connection. */
import { type BindingMetadata, resolveConnection } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { serviceBusErrors } from './errors.ts';
import type { ServiceBusConnection, ServiceBusEntity } from './service-bus-client.ts';

const defaultConnection = 'AzureWebJobsServiceBus';

/** Throws SERVICE_BUS_CONNECTION_INVALID. */
export function parseServiceBusConnection(binding: BindingMetadata, scope: BindingScope): ServiceBusConnection {
  const connection = resolveConnection(scope.settings, binding.connection, defaultConnection);
  const invalid = (problem: string, setting: string): Error =>
    serviceBusErrors.create('SERVICE_BUS_CONNECTION_INVALID', {
      function: scope.function.name,
      binding: binding.name,
      problem,
      setting,
    });
  switch (connection.kind) {
    case 'missing':
      throw invalid(`the app setting '${connection.name}' is missing`, connection.name);
    case 'identity':
      throw invalid(`'${connection.settingName}' is an identity, which is not supported yet`, connection.settingName);
    case 'connectionString':
      if (!/(^|;)\s*Endpoint\s*=\s*sb:\/\//i.test(connection.value.reveal())) {
        throw invalid(`'${connection.settingName}' is no connection string of Service Bus`, connection.settingName);
      }
      return { connectionString: connection.value };
  }
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
  const value = binding.raw[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value)}`);
  return scope.settings.expand(value, `"${key}" of function '${scope.function.name}'`).trim();
}

export function bindingInvalid(binding: BindingMetadata, scope: BindingScope, problem: string): Error {
  const details = { function: scope.function.name, binding: binding.name, problem };
  return serviceBusErrors.create('SERVICE_BUS_BINDING_INVALID', details);
}

export function nameOfEntity(entity: ServiceBusEntity): string {
  return entity.kind === 'queue' ? entity.queue : `${entity.topic}/${entity.subscription}`;
}
