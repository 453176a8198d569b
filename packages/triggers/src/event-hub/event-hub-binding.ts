/** What a binding of Event Hubs names: a hub and a connection. */
import { Secret } from '@switchyard/kernel';
import { type BindingMetadata, resolveConnection } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { eventHubErrors } from './errors.ts';
import type { EventHubConnection } from './event-hub-client.ts';

/** A namespace, and the hub that its connection string may name. */
export interface NamedConnection {
  readonly connection: EventHubConnection;
  /** It overrules what the binding says. */
  readonly entityPath: string | undefined;
}

/** The official host has no default either. */
const defaultConnection = 'AzureWebJobsEventHub';

/** Throws EVENT_HUB_CONNECTION_INVALID. */
export function parseEventHubConnection(binding: BindingMetadata, scope: BindingScope): NamedConnection {
  const found = resolveConnection(scope.settings, binding.connection, defaultConnection);
  const invalid = (problem: string, setting: string): Error =>
    eventHubErrors.create('EVENT_HUB_CONNECTION_INVALID', {
      function: scope.function.name,
      binding: binding.name,
      problem,
      setting,
    });
  switch (found.kind) {
    case 'missing':
      throw invalid(`the app setting '${found.name}' is missing`, found.name);
    case 'identity':
      throw invalid(`'${found.settingName}' is an identity, which is not supported yet`, found.settingName);
    case 'connectionString': {
      const named = readConnectionString(found.value.reveal());
      if (named === undefined)
        throw invalid(`'${found.settingName}' is no connection string of Event Hubs`, found.settingName);
      return named;
    }
  }
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
  const value = binding.raw[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value)}`);
  return scope.settings.expand(value, `"${key}" of function '${scope.function.name}'`).trim();
}

export function bindingInvalid(binding: BindingMetadata, scope: BindingScope, problem: string): Error {
  const details = { function: scope.function.name, binding: binding.name, problem };
  return eventHubErrors.create('EVENT_HUB_BINDING_INVALID', details);
}

function readConnectionString(text: string): NamedConnection | undefined {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  const partOf = (name: string): string | undefined => {
    const part = parts.find((one) => one.trim().toLowerCase().startsWith(`${name}=`));
    return part?.slice(part.indexOf('=') + 1).trim();
  };
  const host = /^sb:\/\/([^/]+)/i.exec(partOf('endpoint') ?? '')?.[1];
  if (host === undefined) return undefined;
  const rest = parts.filter((part) => !part.trim().toLowerCase().startsWith('entitypath='));
  return {
    connection: { connectionString: new Secret(rest.join(';')), namespace: host },
    entityPath: partOf('entitypath'),
  };
}
