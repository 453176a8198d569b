/**
 * Keeps the token of one pod fresh, so that it can dial its Runtime again after days. A stream that is open is not touched.
 *
 * Phases: idle -> keeping (one token and those that follow it) -> closed.
 *
 * I1 The answer for a token is the newest that follows it; another token, as an assignment brings it, begins anew.
 * I2 A token is renewed when half of its time is over; a failure is tried again with growing waits until it has ended.
 * I3 At most one renewal is under way, with a deadline; its result counts only while its token is still kept.
 * I4 After `close` nothing is renewed, and tokens are given back as they are.
 */
import {
  backoffMs,
  type Clock,
  type Edges,
  type Log,
  messageOf,
  type Random,
  type Secret,
  StateMachine,
} from '@switchyard/kernel';

export interface TokenKeeperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Fetches the successor of a token that still holds. */
  readonly renew: (token: Secret, signal: AbortSignal) => Promise<Secret>;
}

export interface TokenKeeper {
  /** The newest token that follows `token`, which is kept fresh from now on. */
  freshest(token: Secret): Secret;
  close(): void;
}

/** How long a renewal may take. */
const renewalTimeoutMs = 10_000;
const retries = { minimumMs: 1_000, maximumMs: 300_000, factor: 2, jitter: 0.2 };

/** Makes a keeper for one pod. */
export function createTokenKeeper(deps: TokenKeeperDeps): TokenKeeper {
  return new PodTokenKeeper(deps);
}

interface Keeping {
  readonly kind: 'keeping';
  readonly origin: Secret;
  current: Secret;
  /** Ends whatever goes on for this token. */
  readonly stop: AbortController;
}

type State = { readonly kind: 'idle' | 'closed' } | Keeping;

const edges: Edges<State['kind']> = { idle: ['keeping', 'closed'], keeping: ['keeping', 'closed'], closed: ['closed'] };

class PodTokenKeeper implements TokenKeeper {
  readonly #deps: TokenKeeperDeps;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges, (from) => {
    if (from.kind === 'keeping') from.stop.abort(new Error('the token is not kept any more'));
  });

  constructor(deps: TokenKeeperDeps) {
    this.#deps = deps;
  }

  freshest(token: Secret): Secret {
    const { state } = this.#state;
    if (state.kind === 'closed') return token;
    if (state.kind === 'keeping' && state.origin.reveal() === token.reveal()) return state.current;
    const keeping: Keeping = { kind: 'keeping', origin: token, current: token, stop: new AbortController() };
    this.#state.transition(keeping);
    this.#keep(keeping, 0);
    return token;
  }

  close(): void {
    this.#state.transition({ kind: 'closed' });
  }

  /** Waits for the time of the next renewal; `failures` counts those since the last success. */
  #keep(keeping: Keeping, failures: number): void {
    const { clock, random, log } = this.#deps;
    const endsAtMs = readEndMs(keeping.current);
    if (endsAtMs === undefined) {
      log.write('warning', 'A token names no end, so it is not renewed.');
      return;
    }
    const leftMs = endsAtMs - clock.now();
    if (leftMs <= 0) {
      log.write('error', 'A token has ended before it could be renewed.');
      return;
    }
    const waitMs = failures === 0 ? leftMs / 2 : Math.min(leftMs, backoffMs(retries, failures - 1, random));
    const { signal } = keeping.stop;
    const cancel = (): void => timer.cancel();
    const timer = clock.schedule(waitMs, () => {
      signal.removeEventListener('abort', cancel);
      void this.#renew(keeping, failures);
    });
    signal.addEventListener('abort', cancel, { once: true });
  }

  async #renew(keeping: Keeping, failures: number): Promise<void> {
    const { clock, log, renew } = this.#deps;
    const attempt = new AbortController();
    const end = (): void => attempt.abort(keeping.stop.signal.reason);
    keeping.stop.signal.addEventListener('abort', end, { once: true });
    const late = (): void => attempt.abort(new Error(`no answer within ${renewalTimeoutMs} ms`));
    const timer = clock.schedule(renewalTimeoutMs, late);
    try {
      const next = await settledOrAborted(renew(keeping.current, attempt.signal), attempt.signal);
      keeping.current = next;
      log.write('debug', 'A token was renewed.');
      this.#keep(keeping, 0);
    } catch (thrown) {
      if (keeping.stop.signal.aborted) return;
      log.write('warning', 'A token could not be renewed.', { reason: messageOf(thrown), failures: failures + 1 });
      this.#keep(keeping, failures + 1);
    } finally {
      timer.cancel();
      keeping.stop.signal.removeEventListener('abort', end);
    }
  }
}

/** Settles as `promise` does, or rejects with the signal's reason. */
function settledOrAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** When a token ends, by its own word: it is ours, and only the time of its renewal depends on it. */
function readEndMs(token: Secret): number | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.reveal().split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { exp } = payload as { exp?: unknown };
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
