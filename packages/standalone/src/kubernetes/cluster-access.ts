/** How a cluster is reached and who asks, in the form that the official client takes. */
import type { CredentialProgramOptions } from './credential-program.ts';
import type { OpenIdOptions } from './open-id-token.ts';

/** A credential that is fetched by ourselves, where the official client falls short of what kubectl does. */
export type OwnCredential =
  | { readonly kind: 'token-file'; readonly path: string }
  | ({ readonly kind: 'program' } & CredentialProgramOptions)
  | ({ readonly kind: 'open-id'; readonly idToken: string } & OpenIdOptions);

export interface ClusterAccess {
  /** `https://host:port`. */
  readonly server: string;
  /** A kubeconfig of one context, as JSON, which is YAML. It holds secrets. */
  readonly kubeconfig: string;
  readonly credential: OwnCredential | undefined;
  /** Files that are read again for every call. */
  readonly files: readonly string[];
}

/** The name of the authentication provider by which a kubeconfig asks for the own credential. */
export const ownProvider = 'switchyard';

/** @param parts.cluster in the words of a kubeconfig, as the user is; paths are absolute */
export function toClusterAccess(parts: {
  readonly cluster: Readonly<Record<string, unknown>> & { readonly server: string };
  readonly user: Readonly<Record<string, unknown>>;
  readonly credential: OwnCredential | undefined;
}): ClusterAccess {
  const { cluster, credential } = parts;
  const { exec: _program, tokenFile: _file, ...given } = parts.user;
  const { token: _token, ...rest } = given;
  const user = credential === undefined ? given : { ...rest, 'auth-provider': { name: ownProvider, config: {} } };
  const held = [cluster['certificate-authority'], user['client-certificate'], user['client-key']];
  const files = held.filter((one) => typeof one === 'string');
  return {
    server: cluster.server.replace(/\/+$/, ''),
    kubeconfig: JSON.stringify({
      'current-context': 'current',
      contexts: [{ name: 'current', context: { cluster: 'current', user: 'current' } }],
      clusters: [{ name: 'current', cluster }],
      users: [{ name: 'current', user }],
    }),
    credential,
    files: [...files, ...filesOf(credential)],
  };
}

function filesOf(credential: OwnCredential | undefined): readonly string[] {
  if (credential?.kind === 'token-file') return [credential.path];
  if (credential?.kind === 'open-id' && credential.authority?.kind === 'file') return [credential.authority.path];
  return [];
}
