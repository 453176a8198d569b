/** A namespace of Service Bus or Event Hubs: how bindings of both name it, and what opens it. */
import { Secret } from '@switchyard/kernel';
import { type BindingMetadata, type ClientRetryOptions, type Connection, resolveConnection } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { type IdentitySettings, readIdentity } from '../identity/identity-settings.ts';

export interface NamespaceConnection {
  /** The host of the namespace, as the service names itself. */
  readonly namespace: string;
  readonly access: NamespaceAccess;
  readonly client: NamespaceClientOptions;
}

export type NamespaceAccess =
  /** A key, in a connection string without the name of an entity. */
  | { readonly kind: 'key'; readonly connectionString: Secret }
  /** Tokens, which travel over TLS alone. */
  | { readonly kind: 'identity'; readonly identity: IdentitySettings };

/** What host.json says of the client. */
export interface NamespaceClientOptions {
  readonly usesWebSockets: boolean;
  /** The proxy that WebSockets go through; its address may hold a password. */
  readonly proxy: Secret | undefined;
  /** Where the connection is opened, in place of the namespace, which is still the one that is asked for. */
  readonly endpointAddress: string | undefined;
  readonly retry: ClientRetryOptions;
}

export type ReadNamespace =
  | {
      readonly kind: 'namespace';
      readonly connection: NamespaceConnection;
      /** The entity that the connection string names. */
      readonly entityPath: string | undefined;
    }
  /** What is wrong, and the app setting that is to blame. */
  | { readonly kind: 'invalid'; readonly problem: string; readonly setting: string };

/** What an extension of host.json says, as far as the client is concerned. */
interface ClientSection {
  readonly transportType: 'amqpTcp' | 'amqpWebSockets';
  readonly clientRetry: ClientRetryOptions;
  readonly webProxy: string | undefined;
  readonly customEndpointAddress?: string | undefined;
}

/** Finds the connection that a binding names, or that of this name. `service` is for messages. */
export function readNamespace(
  binding: BindingMetadata,
  { settings }: BindingScope,
  section: ClientSection,
  names: { readonly defaultConnection: string; readonly service: string },
): ReadNamespace {
  const found = resolveConnection(settings, binding.connection, names.defaultConnection);
  const client = {
    usesWebSockets: section.transportType === 'amqpWebSockets',
    retry: section.clientRetry,
    proxy: section.webProxy === undefined ? undefined : new Secret(section.webProxy),
    endpointAddress: section.customEndpointAddress,
  };
  switch (found.kind) {
    case 'missing':
      return { kind: 'invalid', problem: `the app setting '${found.name}' is missing`, setting: found.name };
    case 'identity':
      return readByIdentity(found, settings, client);
    case 'connectionString': {
      const setting = found.settingName;
      const read = readConnectionString(found.value.reveal(), client);
      if (read !== undefined) return read;
      return { kind: 'invalid', problem: `'${setting}' is no connection string of ${names.service}`, setting };
    }
  }
}

function readByIdentity(
  { members, settingName: setting }: Extract<Connection, { kind: 'identity' }>,
  settings: BindingScope['settings'],
  client: NamespaceClientOptions,
): ReadNamespace {
  const named = members.get('fullyqualifiednamespace')?.reveal().trim() ?? '';
  const namespace = named.replace(/^(sb|https):\/\//i, '').replace(/\/+$/, '');
  if (!/^[^\s:/;=]+(:\d+)?$/.test(namespace)) {
    const problem = `'${setting}' is an identity whose "fullyQualifiedNamespace" names no host such as shop.servicebus.windows.net`;
    return { kind: 'invalid', problem, setting: `${setting}__fullyQualifiedNamespace` };
  }
  const read = readIdentity(members, settings);
  if (read.kind === 'invalid') {
    return { kind: 'invalid', problem: `the identity '${setting}' cannot be used: ${read.problem}`, setting };
  }
  const access = { kind: 'identity', identity: read.identity } as const;
  return { kind: 'namespace', connection: { namespace, access, client }, entityPath: undefined };
}

function readConnectionString(text: string, client: NamespaceClientOptions): ReadNamespace | undefined {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  const partOf = (name: string): string | undefined => {
    const part = parts.find((one) => one.trim().toLowerCase().startsWith(`${name}=`));
    return part?.slice(part.indexOf('=') + 1).trim();
  };
  const namespace = /^sb:\/\/([^/]+)/i.exec(partOf('endpoint') ?? '')?.[1];
  if (namespace === undefined) return undefined;
  const rest = parts.filter((part) => !part.trim().toLowerCase().startsWith('entitypath='));
  const access = { kind: 'key', connectionString: new Secret(rest.join(';')) } as const;
  return { kind: 'namespace', connection: { namespace, access, client }, entityPath: partOf('entitypath') };
}

/** The text of a key, its settings filled in; undefined when it is not there. `invalid` makes the error of another value. */
export function readBindingText(
  key: string,
  binding: BindingMetadata,
  scope: BindingScope,
  invalid: (problem: string) => Error,
): string | undefined {
  const value = binding.raw[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(`"${key}" is ${JSON.stringify(value)}`);
  return scope.settings.expand(value, `"${key}" of function '${scope.function.name}'`).trim();
}
