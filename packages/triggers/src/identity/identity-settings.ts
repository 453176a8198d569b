/** Connections by identity: whose token opens them, from the members of their setting. */
import { Secret } from '@switchyard/kernel';
import type { SettingsView } from '@switchyard/model';

/** Who asks for tokens. */
export type IdentitySettings =
  /** An application with a secret of its own. */
  | {
      readonly kind: 'client-secret';
      readonly tenantId: string;
      readonly clientId: string;
      readonly clientSecret: Secret;
      /** Where tokens come from; that of the public cloud when left out. */
      readonly authorityHost: string | undefined;
    }
  /** The identity of the machine. */
  | { readonly kind: 'managed'; readonly clientId: string | undefined; readonly resourceId: string | undefined }
  /** The identity of the pod in Kubernetes. */
  | { readonly kind: 'workload'; readonly clientId: string | undefined; readonly tenantId: string | undefined }
  /** Whoever is there: the environment, the pod, the machine, or who is logged in. */
  | { readonly kind: 'default'; readonly clientId: string | undefined; readonly tenantId: string | undefined };

export type ReadIdentity =
  | { readonly kind: 'identity'; readonly identity: IdentitySettings }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Reads `credential`, `clientId`, `tenantId`, `clientSecret` and `managedIdentityResourceId` as the official host does. The app
 * setting AZURE_AUTHORITY_HOST says where tokens come from.
 */
export function readIdentity(members: ReadonlyMap<string, Secret>, settings: SettingsView): ReadIdentity {
  const member = (name: string): string | undefined => members.get(name)?.reveal();
  const [clientId, tenantId, clientSecret] = [member('clientid'), member('tenantid'), member('clientsecret')];
  const resourceId = member('managedidentityresourceid');
  const credential = member('credential')?.toLowerCase();
  switch (credential) {
    case 'managedidentity':
      if (clientId !== undefined && resourceId !== undefined) {
        return invalid('it has "clientId" and "managedIdentityResourceId", and only one may be there');
      }
      return { kind: 'identity', identity: { kind: 'managed', clientId, resourceId } };
    case 'workloadidentity':
      return { kind: 'identity', identity: { kind: 'workload', clientId, tenantId } };
    case undefined:
      break;
    default:
      return invalid('its "credential" is neither "managedidentity" nor "workloadidentity"');
  }
  if (clientSecret === undefined) return { kind: 'identity', identity: { kind: 'default', clientId, tenantId } };
  if (clientId === undefined || tenantId === undefined) {
    return invalid('it has a "clientSecret", but not both of "clientId" and "tenantId"');
  }
  const authorityHost = settings.get('AZURE_AUTHORITY_HOST') || undefined;
  if (authorityHost !== undefined && !isTlsAddress(authorityHost)) {
    return invalid('the app setting AZURE_AUTHORITY_HOST is no https address');
  }
  const secret = new Secret(clientSecret);
  return {
    kind: 'identity',
    identity: { kind: 'client-secret', tenantId, clientId, clientSecret: secret, authorityHost },
  };
}

/** Tokens and secrets travel over TLS alone. */
export function isTlsAddress(text: string): boolean {
  return URL.parse(text)?.protocol === 'https:';
}

function invalid(problem: string): ReadIdentity {
  return { kind: 'invalid', problem };
}
