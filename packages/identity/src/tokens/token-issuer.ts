/** Issues the tokens of an installation. They are secrets: only `reveal` gives one out. */
import type { Clock, Random, Secret } from '@switchyard/kernel';
import { toPayload } from '../claims/to-payload.ts';
import {
  type AssignGrant,
  type ControlGrant,
  defaultIssuer,
  type PlaceholderGrant,
  type TokenGrant,
  tokenScopes,
  type WorkerGrant,
} from '../claims/token-claims.ts';
import { identityErrors } from '../errors.ts';
import type { SigningKey } from '../jose/signing-key.ts';
import { longestTokenMs } from '../keys/key-life.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Gives the key that signs now. */
export interface SigningKeys {
  signingKey(): Promise<SigningKey>;
}

export interface TokenIssuerDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'uuid'>;
  readonly keys: SigningKeys;
}

/** How long tokens hold, by kind. */
export interface TokenLifetimes {
  readonly workerMs: number;
  readonly placeholderMs: number;
  readonly assignMs: number;
  readonly controlMs: number;
}

/**
 * A worker's token outlives any sensible cold start and is not asked for again while its stream lives; an assignment is
 * posted at once. Source of the 24 hours: the worker model's example token.
 */
export const defaultTokenLifetimes: TokenLifetimes = {
  workerMs: 24 * hourMs,
  placeholderMs: 24 * hourMs,
  assignMs: minuteMs,
  controlMs: 24 * hourMs,
};

export interface TokenIssuerOptions {
  /** `functions-scale-controller` unless named. */
  readonly issuer?: string;
  readonly lifetimes?: Partial<TokenLifetimes>;
}

type Fields<Grant> = Omit<Grant, 'kind'>;

/** Every method rejects with TOKEN_LIFETIME for a time that no key outlives, and with the key ring's errors. */
export interface TokenIssuer {
  /** For a worker that serves an app. */
  worker(grant: Fields<WorkerGrant>): Promise<Secret>;
  /** For a worker that waits for one. */
  placeholder(grant: Fields<PlaceholderGrant>): Promise<Secret>;
  /** For one `POST /assign` to one pod. */
  assign(grant: Fields<AssignGrant>): Promise<Secret>;
  /** For a caller of the control API; `lifetimeMs` instead of the default. */
  control(grant: Fields<ControlGrant>, lifetimeMs?: number): Promise<Secret>;
  /** For a Runtime that talks to the control API: a control token of all tenants with the scope `runtime`. */
  runtime(grant: { readonly runtimeId: string }): Promise<Secret>;
}

/** Makes an issuer. */
export function createTokenIssuer(deps: TokenIssuerDeps, options: TokenIssuerOptions = {}): TokenIssuer {
  const lifetimes = { ...defaultTokenLifetimes, ...options.lifetimes };
  const issuer = options.issuer ?? defaultIssuer;
  const issue = async (grant: TokenGrant, lifetimeMs: number): Promise<Secret> => {
    if (!(lifetimeMs >= secondMs && lifetimeMs <= longestTokenMs)) {
      throw identityErrors.create('TOKEN_LIFETIME', { lifetimeMs, maximumMs: longestTokenMs });
    }
    const key = await deps.keys.signingKey();
    const issuedAtMs = deps.clock.now();
    const stamp = { issuer, tokenId: deps.random.uuid(), issuedAtMs, expiresAtMs: issuedAtMs + lifetimeMs };
    return key.sign(Buffer.from(JSON.stringify(toPayload({ ...grant, ...stamp }))));
  };
  return {
    worker: (grant) => issue({ kind: 'worker', ...grant }, lifetimes.workerMs),
    placeholder: (grant) => issue({ kind: 'placeholder', ...grant }, lifetimes.placeholderMs),
    assign: (grant) => issue({ kind: 'assign', ...grant }, lifetimes.assignMs),
    control: (grant, lifetimeMs) => issue({ kind: 'control', ...grant }, lifetimeMs ?? lifetimes.controlMs),
    runtime: ({ runtimeId }) =>
      issue({ kind: 'control', subject: runtimeId, tenants: '*', scopes: [tokenScopes.runtime] }, lifetimes.controlMs),
  };
}
