/**
 * Tokens through the official library, which is loaded when a connection by identity is first used.
 *
 * I1 An identity of the machine, of the pod or of whoever is logged in is used where the host allows it alone: where apps of many
 *    tenants share a process, it is nobody's to use.
 */
import type { TokenCredential } from '@azure/identity';
import { messageOf, Secret } from '@switchyard/kernel';
import { triggerErrors } from '../errors.ts';
import type { IdentitySettings } from '../identity/identity-settings.ts';
import type { TokenSource } from '../identity/token-source.ts';

type Sdk = Pick<
  typeof import('@azure/identity'),
  'ClientSecretCredential' | 'DefaultAzureCredential' | 'ManagedIdentityCredential' | 'WorkloadIdentityCredential'
>;

const packageName = '@azure/identity';

/** The clouds whose authorities the library knows; it asks the public one about any other, which may not be there. */
const knownAuthorities: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.chinacloudapi.cn',
  'login.partner.microsoftonline.cn',
]);

/** Credentials kept; one beyond them is made anew, and asks for a token of its own. */
const maxCredentials = 256;

export interface AzureIdentities {
  /** The same credential each time, since it keeps its tokens. Rejects with IDENTITY_NOT_ALLOWED. */
  credentialOf(identity: IdentitySettings): Promise<TokenCredential>;
}

/** @param options.allowsAmbient whether an app may use the identity of the process */
export function createAzureIdentities(
  options: { readonly allowsAmbient: boolean },
  load: () => Promise<Sdk> = () => import('@azure/identity'),
): AzureIdentities {
  const credentials = new Map<string, TokenCredential>();
  let loading: Promise<Sdk> | undefined;
  return {
    async credentialOf(identity) {
      if (identity.kind !== 'client-secret' && !options.allowsAmbient) {
        throw triggerErrors.create('IDENTITY_NOT_ALLOWED', { identity: identity.kind });
      }
      loading ??= load().catch((thrown) => {
        loading = undefined;
        throw triggerErrors.create('IDENTITY_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
      });
      const sdk = await loading;
      const key = keyOf(identity);
      const credential = credentials.get(key) ?? createCredential(sdk, identity);
      if (credentials.size >= maxCredentials) credentials.clear();
      credentials.set(key, credential);
      return credential;
    },
  };
}

/** Tokens for services that no library stands in front of. */
export function createTokenSource(identities: AzureIdentities): TokenSource {
  return async (identity, scope, abortSignal) => {
    const credential = await identities.credentialOf(identity);
    const token = await credential.getToken(scope, abortSignal === undefined ? {} : { abortSignal });
    if (token === null) throw new Error(`nobody gives this identity a token for ${scope}`);
    return new Secret(token.token);
  };
}

/** What tells identities apart. It holds the secret: never show it. */
export function keyOf(identity: IdentitySettings): string {
  const secret = identity.kind === 'client-secret' ? identity.clientSecret.reveal() : '';
  return JSON.stringify([identity, secret]);
}

function createCredential(sdk: Sdk, identity: IdentitySettings): TokenCredential {
  switch (identity.kind) {
    case 'client-secret': {
      const { tenantId, clientId, clientSecret, authorityHost } = identity;
      return new sdk.ClientSecretCredential(tenantId, clientId, clientSecret.reveal(), {
        ...(authorityHost === undefined ? {} : { authorityHost }),
        disableInstanceDiscovery: authorityHost !== undefined && !knownAuthorities.has(new URL(authorityHost).host),
      });
    }
    case 'managed':
      if (identity.resourceId !== undefined)
        return new sdk.ManagedIdentityCredential({ resourceId: identity.resourceId });
      return new sdk.ManagedIdentityCredential(identity.clientId === undefined ? {} : { clientId: identity.clientId });
    case 'workload':
      return new sdk.WorkloadIdentityCredential(
        withoutNothing({ clientId: identity.clientId, tenantId: identity.tenantId }),
      );
    case 'default':
      return new sdk.DefaultAzureCredential(
        withoutNothing({ managedIdentityClientId: identity.clientId, tenantId: identity.tenantId }),
      );
  }
}

function withoutNothing(options: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
