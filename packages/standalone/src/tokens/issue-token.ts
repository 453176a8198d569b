/** Tokens and public keys of an installation, for those who start its Runtimes and sidecars by hand. */
import { createTokenIssuer, type KeySet, openKeyRing, type TokenIssuer } from '@switchyard/identity';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';

/** What a token is to say. */
export type TokenRequest =
  | ({ readonly kind: 'worker' } & Parameters<TokenIssuer['worker']>[0])
  | ({ readonly kind: 'placeholder' } & Parameters<TokenIssuer['placeholder']>[0])
  | ({ readonly kind: 'assign' } & Parameters<TokenIssuer['assign']>[0])
  | ({ readonly kind: 'control' } & Parameters<TokenIssuer['control']>[0]);

/** Opens the signing keys in a folder; the first use makes one. */
export async function openTokens(directory: string) {
  const keys = await openKeyRing({ clock: systemClock, log: silentLog }, { directory });
  const issuer = createTokenIssuer({ clock: systemClock, random: systemRandom, keys });
  return {
    publicKeys: (): KeySet => keys.jwks(),
    /** The token in clear: whoever holds it is who it says. */
    async issue(request: TokenRequest): Promise<string> {
      switch (request.kind) {
        case 'worker':
          return (await issuer.worker(request)).reveal();
        case 'placeholder':
          return (await issuer.placeholder(request)).reveal();
        case 'assign':
          return (await issuer.assign(request)).reveal();
        case 'control':
          return (await issuer.control(request)).reveal();
      }
    },
  };
}
