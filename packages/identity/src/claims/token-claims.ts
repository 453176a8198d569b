/**
 * What a token says, as a value and as the payload of a JWT.
 *
 * The names of a worker's claims are those of the worker model (`app_id`, `is_placeholder`, ...); times are whole seconds
 * since the epoch (RFC 7519, NumericDate). Whom a token is for decides what kind it is:
 *
 * | audience           | kinds               | bound to        |
 * |--------------------|---------------------|-----------------|
 * | functions-runtime  | worker, placeholder | worker, app     |
 * | functions-sidecar  | assign              | pod, single use |
 * | switchyard-control | control             | tenants, scopes |
 */
import type { ApplicationDefinition } from '@switchyard/model';

/** Whom a token is for. */
export const audiences = {
  runtime: 'functions-runtime',
  sidecar: 'functions-sidecar',
  control: 'switchyard-control',
} as const;

export type Audience = (typeof audiences)[keyof typeof audiences];

/** Who issues every token of an installation. */
export const defaultIssuer = 'functions-scale-controller';

/** The scopes that this package gives out itself. Those of control tokens are the control API's business. */
export const tokenScopes = {
  worker: 'worker',
  placeholder: 'placeholder',
  assign: 'assign',
  /** A Runtime that talks to the control API. */
  runtime: 'runtime',
} as const;

/** What every token says. */
export interface TokenStamp {
  readonly issuer: string;
  readonly tokenId: string;
  /** Milliseconds since the epoch, as whole seconds. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly notBeforeMs?: number;
}

/** A worker that serves an app. */
export interface WorkerGrant {
  readonly kind: 'worker';
  readonly workerId: string;
  readonly tenantId: string;
  readonly application: ApplicationDefinition;
  /** The stack's runtime and version; the version may be empty, which means any. */
  readonly language: string;
  readonly languageVersion: string;
  readonly instanceId: string;
}

/** A worker without an app: it may warm up and wait, no more. */
export interface PlaceholderGrant {
  readonly kind: 'placeholder';
  readonly workerId: string;
  readonly language: string;
  readonly languageVersion: string;
  readonly instanceId: string;
}

/** One assignment to one pod. */
export interface AssignGrant {
  readonly kind: 'assign';
  readonly podId: string;
}

/** A caller of the control API. */
export interface ControlGrant {
  readonly kind: 'control';
  readonly subject: string;
  /** The tenants that it may touch; `*` for all. */
  readonly tenants: '*' | readonly string[];
  readonly scopes: readonly string[];
}

export type TokenGrant = WorkerGrant | PlaceholderGrant | AssignGrant | ControlGrant;

export type TokenClaims = TokenGrant & TokenStamp;

/** Whom a kind of token is for. */
export const audienceOf: Readonly<Record<TokenGrant['kind'], Audience>> = {
  worker: audiences.runtime,
  placeholder: audiences.runtime,
  assign: audiences.sidecar,
  control: audiences.control,
};
