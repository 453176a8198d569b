/** Tries to reach a Runtime until it takes the worker, refuses it, or the time is over. */
import { type BackoffOptions, backoffMs, type Clock, type PlatformError, type Random, sleep } from '@switchyard/kernel';
import type { ConnectOutcome } from './connect-runtime.ts';
import { sidecarErrors } from './errors.ts';
import type { Relay } from './relay.ts';

export interface TimedConnect {
  readonly endpoint: string;
  readonly windowMs: number;
  readonly backoff: BackoffOptions;
  /** One try. */
  readonly connect: () => Promise<ConnectOutcome>;
  /** False once the sidecar has other plans. */
  readonly isWanted: () => boolean;
}

export type TimedOutcome =
  | { readonly kind: 'connected'; readonly relay: Relay }
  | { readonly kind: 'failed'; readonly error: PlatformError }
  /** Nobody waits for it any more; nothing is left open. */
  | { readonly kind: 'unwanted' };

/** Never rejects. */
export async function connectInTime(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  { endpoint, windowMs, backoff, connect, isWanted }: TimedConnect,
): Promise<TimedOutcome> {
  const endMs = clock.monotonic() + windowMs;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await connect();
    if (!isWanted()) {
      if (outcome.kind === 'connected') outcome.relay.close();
      return { kind: 'unwanted' };
    }
    if (outcome.kind === 'connected') return outcome;
    if (outcome.kind === 'refused') return { kind: 'failed', error: outcome.error };
    const waitMs = backoffMs(backoff, attempt, random);
    if (clock.monotonic() + waitMs > endMs) {
      const details = { endpoint, timeoutMs: windowMs, reason: outcome.reason };
      return { kind: 'failed', error: sidecarErrors.create('SIDECAR_RUNTIME_UNREACHABLE', details) };
    }
    await sleep(clock, waitMs);
    if (!isWanted()) return { kind: 'unwanted' };
  }
}
