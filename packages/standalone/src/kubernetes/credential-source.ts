import type { Clock } from '@switchyard/kernel';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import type { OwnCredential } from './cluster-access.ts';
import { fetchByProgram, type RunProgram } from './credential-program.ts';
import { type Credential, KeptCredential } from './kept-credential.ts';
import { createOpenIdFetch, toOpenIdCredential } from './open-id-token.ts';

/** Where the credential of a call comes from, when it is one of our own. */
export interface CredentialSource {
  /** Rejects with CLUSTER_FILE_UNREADABLE or CLUSTER_CREDENTIALS_MISSING. */
  credential(): Promise<Omit<Credential, 'expiresAtMs'>>;
  /** The cluster has not taken the last one. False when the next one would be the same. */
  forget(): boolean;
}

export interface CredentialSourceDeps {
  readonly clock: Clock;
  readonly run: RunProgram;
  readonly exchange: HttpExchange;
  readonly readText: (path: string) => Promise<string>;
}

export function createCredentialSource(deps: CredentialSourceDeps, own: OwnCredential): CredentialSource {
  const { clock, run, exchange, readText } = deps;
  switch (own.kind) {
    case 'token-file':
      return {
        // Read for every call: the cluster changes it now and then.
        credential: async () => ({ token: (await readText(own.path)).trim(), certificate: undefined, key: undefined }),
        forget: () => true,
      };
    case 'program':
      return toSource(new KeptCredential(clock, () => fetchByProgram(run, own)));
    case 'open-id':
      return toSource(
        new KeptCredential(clock, createOpenIdFetch({ exchange, readText }, own), toOpenIdCredential(own.idToken)),
      );
  }
}

function toSource(kept: KeptCredential): CredentialSource {
  return {
    credential: () => kept.credential(),
    forget: () => kept.forget(),
  };
}
