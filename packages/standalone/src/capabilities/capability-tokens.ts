import type { Identity } from '@switchyard/capability-broker';
import { audiences, createTokenVerifier, type KeySource, longestTokenMs, type TokenIssuer } from '@switchyard/identity';
import type { Clock, Secret } from '@switchyard/kernel';

/** What a token for the broker allows. The control API gives nothing for either. */
export const capabilityScopes = { use: 'capabilities', administer: 'capabilities-admin' } as const;

export interface CapabilityTokensDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly issuer: Pick<TokenIssuer, 'control'>;
  readonly keys: KeySource;
}

/** The tokens of one broker: an account is a tenant. */
export interface CapabilityTokens {
  /** For the workers of an account; it holds as long as any token can, because a worker's environment is not renewed. */
  forAccount(accountId: string): Promise<Secret>;
  /** For whoever runs the installation. */
  forAdministrator(): Promise<Secret>;
  /** Undefined for what is not good. */
  verify(token: string): Promise<Identity | undefined>;
}

/** The account of administrators: no tenant can have this name. */
const operator = '*';

export function createCapabilityTokens({ clock, issuer, keys }: CapabilityTokensDeps): CapabilityTokens {
  const verifier = createTokenVerifier({ clock, keys }, { audience: audiences.control });
  return {
    forAccount: (accountId) => {
      const grant = { subject: `capabilities of ${accountId}`, tenants: [accountId], scopes: [capabilityScopes.use] };
      return issuer.control(grant, longestTokenMs);
    },
    forAdministrator: () => {
      const scopes = [capabilityScopes.use, capabilityScopes.administer];
      return issuer.control({ subject: 'operator', tenants: '*', scopes }, longestTokenMs);
    },
    verify: async (token) => {
      const verdict = await verifier.verify(token);
      if (verdict.kind !== 'valid' || verdict.claims.kind !== 'control') return undefined;
      const { tenants, scopes } = verdict.claims;
      if (!scopes.includes(capabilityScopes.use)) return undefined;
      const administers = tenants === '*' && scopes.includes(capabilityScopes.administer);
      const id = tenants === '*' ? operator : tenants[0];
      return id === undefined ? undefined : { account: { id, privileged: administers }, administers };
    },
  };
}
