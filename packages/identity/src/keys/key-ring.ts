/**
 * The signing keys of an installation, kept in a folder. The newest signs; older ones verify until the last token that they
 * signed has ended. Several processes may hold a ring on one folder: what one adds, the others find.
 *
 * Ownership: the folder is the truth; a ring only remembers what it has read. Nothing of a private key leaves the ring.
 *
 * I1 A key is on the disk, for its owner alone, before it signs anything.
 * I2 The newest key signs; an older one verifies exactly until the last token that it can have signed has ended.
 * I3 A key that another process has added is found as soon as it is asked for, one whose file was removed counts no more
 *    once the folder was read again; the folder is read at most once per `rereadMs`.
 * I4 A key that is exposed or broken keeps a ring from opening; one that comes later is told and left out.
 * I5 Callers at the same time share one rotation; a rotation that is due and fails leaves the old key signing.
 */
import { type Clock, isPlatformError, type Log, messageOf } from '@switchyard/kernel';
import { makeSigningKey, type SigningKey } from '../jose/signing-key.ts';
import type { SigningKeys } from '../tokens/token-issuer.ts';
import { type KeptKey, listKeyIds, openKeyFolder, readKey, removeKey, writeKey } from './key-files.ts';
import { type KeyPlan, planKeys } from './key-life.ts';
import type { KeyAnswer, KeySet, KeySource, PublicKey } from './key-set.ts';

export interface KeyRingDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly log: Log;
}

export interface KeyRingOptions {
  /** The folder of the key files; made when it is missing. */
  readonly directory: string;
  /** A key signs for this long, then the next use makes a new one; 30 days unless named. */
  readonly rotateAfterMs?: number;
}

/** Signs for issuers, and answers verifiers in the same process. */
export interface KeyRing extends SigningKeys, KeySource {
  /** The public keys that count now, for `/.well-known/jwks.json`. */
  jwks(): KeySet;
  /** Makes a new key, which signs from now on. Rejects with KEY_FOLDER_UNUSABLE. */
  rotate(): Promise<PublicKey>;
}

const defaultRotateAfterMs = 30 * 86_400_000;
/** An unknown key id makes the ring read its folder again, at most this often. */
const rereadMs = 1_000;
/** A ring that signs reads its folder at least this often, so that it signs with the newest key. */
const staleMs = 60_000;

/**
 * Opens the ring, and makes the first key when there is none. Rejects with KEY_FOLDER_UNUSABLE, KEY_FILE_EXPOSED or
 * KEY_FILE_INVALID.
 */
export async function openKeyRing(deps: KeyRingDeps, options: KeyRingOptions): Promise<KeyRing> {
  await openKeyFolder(options.directory);
  const kept = new Map<string, KeptKey>();
  for (const keyId of await listKeyIds(options.directory)) kept.set(keyId, await readKey(options.directory, keyId));
  const ring = new FolderKeyRing(deps, options, kept);
  await ring.signingKey();
  return ring;
}

class FolderKeyRing implements KeyRing {
  readonly #clock: KeyRingDeps['clock'];
  readonly #log: Log;
  readonly #folder: string;
  readonly #rotateAfterMs: number;
  #kept: ReadonlyMap<string, KeptKey>;
  #readAtMs: number;
  #reading: Promise<void> | undefined;
  #rotating: Promise<KeptKey> | undefined;

  constructor(deps: KeyRingDeps, options: KeyRingOptions, kept: ReadonlyMap<string, KeptKey>) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#folder = options.directory;
    this.#rotateAfterMs = options.rotateAfterMs ?? defaultRotateAfterMs;
    this.#kept = kept;
    this.#readAtMs = deps.clock.monotonic();
  }

  async signingKey(): Promise<SigningKey> {
    await this.#readAgain(staleMs);
    const { signing } = this.#plan();
    if (signing && this.#clock.now() - signing.createdAtMs < this.#rotateAfterMs) return signing.key;
    try {
      return (await this.#rotateOnce()).key;
    } catch (thrown) {
      if (!signing) throw thrown;
      this.#log.write('error', 'The signing key could not be rotated; the old one goes on.', fieldsOf(thrown));
      return signing.key;
    }
  }

  async find(keyId: string): Promise<KeyAnswer> {
    const answer = this.#find(keyId);
    if (answer.kind === 'found') return answer;
    await this.#readAgain(rereadMs);
    return this.#find(keyId);
  }

  jwks(): KeySet {
    return { keys: this.#plan().verifying.map(({ key }) => key.publicKey) };
  }

  async rotate(): Promise<PublicKey> {
    return (await this.#rotateOnce()).key.publicKey;
  }

  #find(keyId: string): KeyAnswer {
    const kept = this.#plan().verifying.find((each) => each.keyId === keyId);
    return kept ? { kind: 'found', key: kept.key.publicKey } : { kind: 'unknown' };
  }

  #plan(): KeyPlan<KeptKey> {
    return planKeys([...this.#kept.values()], this.#clock.now(), staleMs);
  }

  #rotateOnce(): Promise<KeptKey> {
    this.#rotating ??= this.#rotate().finally(() => {
      this.#rotating = undefined;
    });
    return this.#rotating;
  }

  async #rotate(): Promise<KeptKey> {
    const { signing } = this.#plan();
    const { key, json } = await makeSigningKey();
    const keyId = key.publicKey.kid;
    // The newest key signs, even when the clock was set back.
    const createdAtMs = Math.max(this.#clock.now(), (signing?.createdAtMs ?? 0) + 1);
    await writeKey(this.#folder, keyId, createdAtMs, json);
    const made: KeptKey = { keyId, createdAtMs, key };
    this.#kept = new Map([...this.#kept, [keyId, made]]);
    this.#log.write('information', 'A new key signs the tokens.', { keyId });
    await this.#removeEnded();
    return made;
  }

  async #removeEnded(): Promise<void> {
    for (const { keyId } of this.#plan().ended) {
      try {
        await removeKey(this.#folder, keyId);
        this.#kept = new Map([...this.#kept].filter(([other]) => other !== keyId));
      } catch (thrown) {
        this.#log.write('warning', 'A key that has ended could not be removed.', { keyId, ...fieldsOf(thrown) });
      }
    }
  }

  /** Reads the folder again when the last time is at least `afterMs` ago. */
  async #readAgain(afterMs: number): Promise<void> {
    if (!this.#reading) {
      if (this.#clock.monotonic() - this.#readAtMs < afterMs) return;
      this.#reading = this.#read().finally(() => {
        this.#readAtMs = this.#clock.monotonic();
        this.#reading = undefined;
      });
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const keyIds = await listKeyIds(this.#folder);
      const kept = new Map<string, KeptKey>();
      for (const keyId of keyIds) {
        const known = this.#kept.get(keyId) ?? (await this.#tryRead(keyId));
        if (known) kept.set(keyId, known);
      }
      // A rotation may have added a key since the folder was listed.
      for (const [keyId, each] of this.#kept) if (this.#rotating && !kept.has(keyId)) kept.set(keyId, each);
      this.#kept = kept;
    } catch (thrown) {
      this.#log.write('error', 'The folder of the signing keys cannot be read.', fieldsOf(thrown));
    }
  }

  async #tryRead(keyId: string): Promise<KeptKey | undefined> {
    try {
      return await readKey(this.#folder, keyId);
    } catch (thrown) {
      this.#log.write('error', 'A signing key was left out.', { keyId, ...fieldsOf(thrown) });
      return undefined;
    }
  }
}

function fieldsOf(thrown: unknown): { code?: string; reason: string } {
  return { ...(isPlatformError(thrown) ? { code: thrown.code } : {}), reason: messageOf(thrown) };
}
