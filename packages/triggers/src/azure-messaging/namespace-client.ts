/** What a client of the official libraries is made with, and what tells one from another. */
import { type AzureIdentities, keyOf } from '../azure-identity/azure-identities.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { toWebSocketOptions } from './web-socket.ts';

type TokenCredential = Awaited<ReturnType<AzureIdentities['credentialOf']>>;

/** Who opens a namespace: the arguments that begin a constructor. */
export type NamespaceArguments =
  | readonly [connectionString: string]
  | readonly [fullyQualifiedNamespace: string, credential: TokenCredential];

/** Rejects with IDENTITY_NOT_ALLOWED and IDENTITY_SDK_MISSING. */
export async function toArguments(
  { namespace, access }: NamespaceConnection,
  identities: AzureIdentities,
): Promise<NamespaceArguments> {
  if (access.kind === 'key') return [access.connectionString.reveal()];
  return [namespace, await identities.credentialOf(access.identity)];
}

/** The library itself waits a minute for an answer that a line which was cut will not bring, and half a minute after that. */
const defaultRetries = { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 10_000, timeoutInMs: 5_000 };

/** The numbers by which the library calls its ways to wait. */
const modes = { exponential: 0, fixed: 1 } as const;

/** What host.json asks of a client, in the words of the library. */
export type ClientOptions = Awaited<ReturnType<typeof toClientOptions>>;

export async function toClientOptions({ client }: NamespaceConnection) {
  const { retry, usesWebSockets, proxy, endpointAddress } = client;
  const { mode, maxRetries, delayMs, maxDelayMs, tryTimeoutMs } = retry;
  return {
    retryOptions: {
      ...(mode === undefined ? {} : { mode: modes[mode] }),
      maxRetries: maxRetries ?? defaultRetries.maxRetries,
      retryDelayInMs: delayMs ?? defaultRetries.retryDelayInMs,
      maxRetryDelayInMs: maxDelayMs ?? defaultRetries.maxRetryDelayInMs,
      timeoutInMs: tryTimeoutMs ?? defaultRetries.timeoutInMs,
    },
    ...(usesWebSockets ? { webSocketOptions: await toWebSocketOptions(proxy) } : {}),
    ...(endpointAddress === undefined ? {} : { customEndpointAddress: endpointAddress }),
  };
}

/** Connections with the same key share a client. It holds secrets: never show it. */
export function clientKeyOf({ namespace, access, client }: NamespaceConnection): string {
  const who = access.kind === 'key' ? access.connectionString.reveal() : keyOf(access.identity);
  return JSON.stringify([namespace, who, client, client.proxy?.reveal()]);
}
