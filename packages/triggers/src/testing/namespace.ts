import { Secret } from '@switchyard/kernel';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';

const retry = {
  mode: undefined,
  tryTimeoutMs: undefined,
  delayMs: undefined,
  maxDelayMs: undefined,
  maxRetries: undefined,
};

/** A namespace that a key opens. */
export function namespaceWithKey(connectionString: string, namespace = ''): NamespaceConnection {
  const access = { kind: 'key', connectionString: new Secret(connectionString) } as const;
  return { namespace, access, client: { usesWebSockets: false, retry, proxy: undefined, endpointAddress: undefined } };
}
