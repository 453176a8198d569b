import type { Clock } from '@switchyard/kernel';
import type { Audience } from '../claims/token-claims.ts';
import { makeSigningKey } from '../jose/signing-key.ts';
import { createFixedKeys } from '../keys/key-set.ts';
import { createTokenIssuer, type TokenIssuer } from '../tokens/token-issuer.ts';
import { createTokenVerifier, type TokenVerifier } from '../tokens/token-verifier.ts';

/** An installation with one key in memory. */
export interface TestInstallation {
  readonly issuer: TokenIssuer;
  verifier(audience: Audience): TokenVerifier;
}

export async function createTestInstallation(clock: Pick<Clock, 'now'>): Promise<TestInstallation> {
  const { key } = await makeSigningKey();
  let issued = 0;
  const random = { uuid: (): string => `token-${++issued}` };
  const keys = createFixedKeys({ keys: [key.publicKey] });
  return {
    issuer: createTokenIssuer({ clock, random, keys: { signingKey: async () => key } }),
    verifier: (audience) => createTokenVerifier({ clock, keys }, { audience }),
  };
}
