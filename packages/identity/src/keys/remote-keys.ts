/**
 * The public keys of an installation, fetched from its control plane, for a process that holds no key of its own.
 *
 * I1 Keys are fetched when one is asked for, not before; callers at the same time share one request.
 * I2 An unknown key id makes the set be fetched again, at most once per `cooldownMs`: whoever invents ids costs nothing.
 * I3 A set is fetched again when it is older than `maxAgeMs`; while that fails, the old one counts, up to `maxStaleMs`.
 * I4 Without keys the answer is `unavailable` and says why; a wrong, late, large or redirected answer is no key set.
 */
import { type Clock, type Log, messageOf } from '@switchyard/kernel';
import { identityErrors } from '../errors.ts';
import { isProtected } from '../guards/clear-tokens.ts';
import { type KeyAnswer, type KeySet, type KeySource, parseKeySet } from './key-set.ts';

export interface RemoteKeysDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>;
  readonly log: Log;
  /** The platform's `fetch`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

export interface RemoteKeysOptions {
  /** Where the key set is: `https://host/.well-known/jwks.json`. */
  readonly url: string;
  /** True takes keys over plain HTTP from another machine: whoever stands between can forge every token. */
  readonly allowClear?: boolean;
  readonly limits?: Partial<RemoteKeysLimits>;
}

export interface RemoteKeysLimits {
  /** A set older than this is fetched again. */
  readonly maxAgeMs: number;
  /** A set older than this counts no more, whatever the reason. */
  readonly maxStaleMs: number;
  /** The least time between two requests. */
  readonly cooldownMs: number;
  /** How long a request may take. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export const defaultRemoteKeysLimits: RemoteKeysLimits = {
  maxAgeMs: 600_000,
  maxStaleMs: 86_400_000,
  cooldownMs: 2_000,
  timeoutMs: 5_000,
  maxBytes: 256 * 1_024,
};

/** Makes the source; nothing is fetched yet. Throws KEY_SET_URL. */
export function createRemoteKeys(deps: RemoteKeysDeps, options: RemoteKeysOptions): KeySource {
  const { url } = options;
  const fail = (reason: string): Error => identityErrors.create('KEY_SET_URL', { url: url.slice(0, 200), reason });
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw fail('it is no http or https address');
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') {
    throw identityErrors.create('KEY_SET_URL', { url: '***', reason: 'credentials do not belong in it' });
  }
  if (!options.allowClear && !isProtected(url)) throw fail('keys from another machine need https');
  return new RemoteKeys(deps, url, { ...defaultRemoteKeysLimits, ...options.limits });
}

interface FetchedSet {
  readonly keySet: KeySet;
  readonly atMs: number;
}

class RemoteKeys implements KeySource {
  readonly #deps: RemoteKeysDeps;
  readonly #url: string;
  readonly #limits: RemoteKeysLimits;
  #fetched: FetchedSet | undefined;
  #fetching: Promise<void> | undefined;
  #triedAtMs: number | undefined;
  #failure = '';

  constructor(deps: RemoteKeysDeps, url: string, limits: RemoteKeysLimits) {
    this.#deps = deps;
    this.#url = url;
    this.#limits = limits;
  }

  async find(keyId: string): Promise<KeyAnswer> {
    if (!this.#isFresh(this.#limits.maxAgeMs)) await this.#refresh();
    const known = this.#find(keyId);
    if (known.kind !== 'unknown') return known;
    await this.#refresh();
    return this.#find(keyId);
  }

  #find(keyId: string): KeyAnswer {
    if (!this.#fetched || !this.#isFresh(this.#limits.maxStaleMs)) {
      return { kind: 'unavailable', reason: this.#failure };
    }
    const key = this.#fetched.keySet.keys.find(({ kid }) => kid === keyId);
    return key ? { kind: 'found', key } : { kind: 'unknown' };
  }

  #isFresh(maxAgeMs: number): boolean {
    return this.#fetched !== undefined && this.#deps.clock.monotonic() - this.#fetched.atMs < maxAgeMs;
  }

  /** Fetches the set, unless that was tried just now. Never rejects. */
  async #refresh(): Promise<void> {
    if (!this.#fetching) {
      const nowMs = this.#deps.clock.monotonic();
      if (this.#triedAtMs !== undefined && nowMs - this.#triedAtMs < this.#limits.cooldownMs) return;
      this.#triedAtMs = nowMs;
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { clock, log } = this.#deps;
    const { timeoutMs } = this.#limits;
    const abort = new AbortController();
    const timer = clock.schedule(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)));
    try {
      this.#fetched = { keySet: await this.#load(abort.signal), atMs: clock.monotonic() };
    } catch (thrown) {
      const cause = thrown instanceof Error && thrown.cause instanceof Error ? `: ${thrown.cause.message}` : '';
      this.#failure = `${this.#url}: ${messageOf(abort.signal.aborted ? abort.signal.reason : thrown)}${cause}`;
      log.write('warning', 'The public keys could not be fetched.', { url: this.#url, reason: this.#failure });
    } finally {
      timer.cancel();
    }
  }

  async #load(signal: AbortSignal): Promise<KeySet> {
    const response = await this.#deps.fetch(this.#url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`it answered ${response.status} instead of 200`);
    }
    const text = await this.#read(response);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new Error('it answered no JSON');
    }
    const reading = parseKeySet(json);
    if (reading.kind === 'invalid') throw new Error(`it answered no key set: ${reading.reason}`);
    return reading.keySet;
  }

  async #read(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body ?? []) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > this.#limits.maxBytes)
        throw new Error(`its answer is larger than ${this.#limits.maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}
