/**
 * Who is who: the installation's signing keys, the tokens that they sign, and the guards that check them.
 *
 * A process that issues tokens opens the key ring; one that only verifies uses `createRemoteKeys`.
 */
export { type ClaimsReading, parseClaims } from './claims/parse-claims.ts';
export { toPayload } from './claims/to-payload.ts';
export {
  type AssignGrant,
  type Audience,
  audienceOf,
  audiences,
  type ControlGrant,
  defaultIssuer,
  type PlaceholderGrant,
  type TokenClaims,
  type TokenGrant,
  type TokenStamp,
  tokenScopes,
  type WorkerGrant,
} from './claims/token-claims.ts';
export { type IdentityErrorCode, identityErrors, type RefusalCode } from './errors.ts';
export {
  type AssignGuardDeps,
  type AssignGuardOptions,
  type AssignVerdict,
  createAssignGuard,
} from './guards/assign-guard.ts';
export { type ClearTokenOptions, refuseClearTokens } from './guards/clear-tokens.ts';
export { type ControlVerdict, createControlGuard } from './guards/control-guard.ts';
export {
  createWorkerCallVerifier,
  createWorkerVerifier,
  type VerifyWorkerToken,
  type WorkerCallVerdict,
  type WorkerTokenVerdict,
  type WorkerVerifierOptions,
} from './guards/worker-verifier.ts';
export type { SigningKey } from './jose/signing-key.ts';
export { holdsKeys } from './keys/key-files.ts';
export { longestTokenMs } from './keys/key-life.ts';
export { type KeyRing, type KeyRingDeps, type KeyRingOptions, openKeyRing } from './keys/key-ring.ts';
export {
  createFixedKeys,
  type KeyAnswer,
  type KeySet,
  type KeySetReading,
  type KeySource,
  type PublicKey,
  parseKeySet,
} from './keys/key-set.ts';
export {
  createRemoteKeys,
  defaultRemoteKeysLimits,
  type RemoteKeysDeps,
  type RemoteKeysLimits,
  type RemoteKeysOptions,
} from './keys/remote-keys.ts';
export type { Refusal } from './refusal.ts';
export {
  createTokenIssuer,
  defaultTokenLifetimes,
  type SigningKeys,
  type TokenIssuer,
  type TokenIssuerDeps,
  type TokenIssuerOptions,
  type TokenLifetimes,
} from './tokens/token-issuer.ts';
export { createTokenKeeper, type TokenKeeper, type TokenKeeperDeps } from './tokens/token-keeper.ts';
export { createTokenRenewal, type TokenRenewal, type TokenRenewalDeps } from './tokens/token-renewal.ts';
export {
  createTokenVerifier,
  type TokenVerdict,
  type TokenVerifier,
  type TokenVerifierDeps,
  type TokenVerifierOptions,
} from './tokens/token-verifier.ts';
