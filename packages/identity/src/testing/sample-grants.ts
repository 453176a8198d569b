import { defaultIssuer, type TokenClaims, type TokenStamp, type WorkerGrant } from '../claims/token-claims.ts';

/** A worker of an app, as the tests know it. */
export const sampleWorker: WorkerGrant = {
  kind: 'worker',
  workerId: 'w-1',
  tenantId: 'contoso',
  application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
  language: 'node',
  languageVersion: '24',
  instanceId: 'pod-1',
};

/** The stamp of a token issued at `nowMs` for an hour. */
export function sampleStamp(nowMs: number, tokenId = 'token-1'): TokenStamp {
  return { issuer: defaultIssuer, tokenId, issuedAtMs: nowMs, expiresAtMs: nowMs + 3_600_000 };
}

/** A worker's claims issued at `nowMs`. */
export function sampleClaims(nowMs: number): TokenClaims {
  return { ...sampleWorker, ...sampleStamp(nowMs) };
}
