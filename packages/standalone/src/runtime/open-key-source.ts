/** Public keys for a process that holds no key of its own: out of a file, or from the installation that has them. */
import { stat } from 'node:fs/promises';
import { createRemoteKeys, type KeyAnswer, type KeySet, type KeySource, parseKeySet } from '@switchyard/identity';
import { type Log, messageOf, systemClock } from '@switchyard/kernel';
import { runtimeProcessErrors } from './errors.ts';
import { readNamedFile } from './read-files.ts';

export interface KeySourceOptions {
  /** A path, or an address that begins with http: or https:. */
  readonly from: string;
  /** Takes keys over plain HTTP from another machine. */
  readonly allowClear: boolean;
}

/** A file is looked at again at most this often: whoever invents key ids costs nothing. */
const rereadMs = 1_000;

/** Rejects with RUNTIME_FILE_UNREADABLE, RUNTIME_KEYS_INVALID or KEY_SET_URL. */
export async function openKeySource(log: Log, { from, allowClear }: KeySourceOptions): Promise<KeySource> {
  if (/^https?:/i.test(from)) return createRemoteKeys({ clock: systemClock, log, fetch }, { url: from, allowClear });
  return await FileKeys.open(from, log);
}

/** Keys in a file, which may be replaced while it is used: an unknown key makes it be read again. */
class FileKeys implements KeySource {
  readonly #path: string;
  readonly #log: Log;
  #keySet: KeySet;
  #modifiedMs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  private constructor(path: string, log: Log, keySet: KeySet) {
    this.#path = path;
    this.#log = log;
    this.#keySet = keySet;
  }

  static async open(path: string, log: Log): Promise<FileKeys> {
    return new FileKeys(path, log, await readKeys(path));
  }

  async find(keyId: string): Promise<KeyAnswer> {
    const known = this.#find(keyId);
    if (known.kind === 'found') return known;
    await this.#readAgain();
    return this.#find(keyId);
  }

  #find(keyId: string): KeyAnswer {
    const key = this.#keySet.keys.find(({ kid }) => kid === keyId);
    return key === undefined ? { kind: 'unknown' } : { kind: 'found', key };
  }

  async #readAgain(): Promise<void> {
    const nowMs = systemClock.monotonic();
    if (nowMs - this.#lookedMs < rereadMs) return;
    this.#lookedMs = nowMs;
    try {
      const { mtimeMs } = await stat(this.#path);
      if (mtimeMs === this.#modifiedMs) return;
      this.#keySet = await readKeys(this.#path);
      this.#modifiedMs = mtimeMs;
    } catch (thrown) {
      this.#log.write('warning', 'The public keys could not be read again.', { reason: messageOf(thrown) });
    }
  }
}

async function readKeys(path: string): Promise<KeySet> {
  const text = await readNamedFile(path, '--keys');
  const invalid = (reason: string): Error => runtimeProcessErrors.create('RUNTIME_KEYS_INVALID', { path, reason });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw invalid(messageOf(thrown));
  }
  const reading = parseKeySet(json);
  if (reading.kind === 'invalid') throw invalid(reading.reason);
  if (reading.keySet.keys.length === 0) throw invalid('it has no key that signs tokens');
  return reading.keySet;
}
