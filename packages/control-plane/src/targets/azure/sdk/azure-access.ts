/** How all adapters reach Azure: who asks, where, and what its refusals mean here. */
import type { TokenCredential } from '@azure/core-auth';
import { messageOf } from '@switchyard/kernel';
import { computeErrors } from '../../errors.ts';
import { loadSdk } from './load-sdk.ts';

export interface AzureAccess {
  readonly credential: TokenCredential;
  /** The authority of servers' certificates, where it is none that the system knows. */
  readonly ca?: string;
}

/**
 * Whoever this process is in Azure: its managed identity, a workload identity, or the service principal of the environment, in
 * the order of the SDK.
 * @throws PlatformError SDK_MISSING
 */
export async function openAzureCredential(options: { readonly clientId?: string }): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await loadSdk('Azure', '@azure/identity', () => import('@azure/identity'));
  const { clientId } = options;
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}

/** What every client of the SDK is made with: its own retries, which keep to Retry-After. */
export function clientOptionsOf({ ca }: AzureAccess, retryDelayMs?: number) {
  return {
    ...(ca === undefined ? {} : { tlsOptions: { ca } }),
    ...(retryDelayMs === undefined
      ? {}
      : { retryOptions: { retryDelayInMs: retryDelayMs, maxRetryDelayInMs: retryDelayMs } }),
  };
}

/**
 * Calls Azure; what is not there is undefined.
 * @throws PlatformError TARGET_REFUSED, TARGET_UNREACHABLE
 */
export async function askAzure<T>(
  { computeTarget, what }: { readonly computeTarget: string; readonly what: string },
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    const { statusCode, name } = thrown as { readonly statusCode?: unknown; readonly name?: unknown };
    if (statusCode === 404) return undefined;
    if (name === 'AbortError') throw thrown;
    const reason = messageOf(thrown).slice(0, 500);
    if (typeof statusCode === 'number') {
      throw computeErrors.create('TARGET_REFUSED', { computeTarget, what, status: statusCode, reason }, thrown);
    }
    throw computeErrors.create('TARGET_UNREACHABLE', { computeTarget, address: 'Azure', reason }, thrown);
  }
}
