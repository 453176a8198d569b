/** What a binding of Event Hubs names: a hub and a connection. */
import type { BindingMetadata } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { type ReadNamespace, readBindingText, readNamespace } from '../namespace/namespace-connection.ts';
import { eventHubErrors } from './errors.ts';

/** A namespace, and the hub that its connection string may name, which overrules what the binding says. */
export type NamedConnection = Pick<Extract<ReadNamespace, { kind: 'namespace' }>, 'connection' | 'entityPath'>;

/** The official host has no default either. */
const names = { defaultConnection: 'AzureWebJobsEventHub', service: 'Event Hubs' };

/** Throws EVENT_HUB_CONNECTION_INVALID. */
export function parseEventHubConnection(binding: BindingMetadata, scope: BindingScope): NamedConnection {
  const read = readNamespace(binding, scope, scope.extensions.eventHubs, names);
  if (read.kind === 'namespace') return read;
  const { problem, setting } = read;
  const details = { function: scope.function.name, binding: binding.name, problem, setting };
  throw eventHubErrors.create('EVENT_HUB_CONNECTION_INVALID', details);
}

/** The name of the hub, settings filled in. Throws EVENT_HUB_BINDING_INVALID. */
export function parseHubName(binding: BindingMetadata, scope: BindingScope, { entityPath }: NamedConnection): string {
  if (entityPath !== undefined) return entityPath;
  const name = readText('eventHubName', binding, scope) ?? readText('path', binding, scope);
  if (name === undefined) throw bindingInvalid(binding, scope, 'it names no event hub');
  return name;
}

/** The text of a key, its settings filled in; undefined when it is not there. */
export function readText(key: string, binding: BindingMetadata, scope: BindingScope): string | undefined {
  return readBindingText(key, binding, scope, (problem) => bindingInvalid(binding, scope, problem));
}

export function bindingInvalid(binding: BindingMetadata, scope: BindingScope, problem: string): Error {
  const details = { function: scope.function.name, binding: binding.name, problem };
  return eventHubErrors.create('EVENT_HUB_BINDING_INVALID', details);
}
