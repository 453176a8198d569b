import type { Secret } from '@switchyard/kernel';
import { triggerErrors } from '../errors.ts';
import type { IdentitySettings } from './identity-settings.ts';

/** Fetches a token of an identity for a scope. Rejects when there is none, or the identity is not the app's to use. */
export type TokenSource = (identity: IdentitySettings, scope: string, signal?: AbortSignal) => Promise<Secret>;

/** Where nobody fetches any. */
export const noTokens: TokenSource = (identity) =>
  Promise.reject(triggerErrors.create('IDENTITY_NOT_ALLOWED', { identity: identity.kind }));
