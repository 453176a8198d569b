/** What secrets open: where a credential is made, tried and taken away. */
import { Secret } from '@switchyard/kernel';
import type { SecretBinding } from '@switchyard/protocol/control-api';

export interface RotationTarget {
  /** What services get for a credential with this password, for example a connection string. */
  compose(binding: SecretBinding, credential: string, password: Secret): Promise<Secret>;
  /** Makes the credential, or gives it this value. Idempotent. */
  install(binding: SecretBinding, credential: string, value: Secret): Promise<void>;
  /** Uses the value as a service would. */
  verify(binding: SecretBinding, value: Secret): Promise<VerifyOutcome>;
  /** Lets the credential open nothing any more. Idempotent. */
  disable(binding: SecretBinding, credential: string): Promise<void>;
}

export type VerifyOutcome = { readonly kind: 'works' } | { readonly kind: 'refused'; readonly reason: string };

export type RotationTargets = { readonly [Kind in SecretBinding['target']['kind']]: RotationTarget };

/** A value that nobody else knows: the services that it is given to agree on it among themselves. */
export const generatedTarget: RotationTarget = {
  compose: async (_binding, _credential, password) => new Secret(password.reveal()),
  install: async () => {},
  verify: async () => ({ kind: 'works' }),
  disable: async () => {},
};
