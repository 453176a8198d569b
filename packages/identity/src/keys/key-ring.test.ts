import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { systemRandom } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { audiences } from '../claims/token-claims.ts';
import { forgeKey } from '../testing/forge.ts';
import { sampleWorker } from '../testing/sample-grants.ts';
import { createTokenIssuer } from '../tokens/token-issuer.ts';
import { createTokenVerifier, type TokenVerdict } from '../tokens/token-verifier.ts';
import { clockSkewMs, longestTokenMs } from './key-life.ts';
import { type KeyRing, openKeyRing } from './key-ring.ts';
import { createFixedKeys, type KeySource } from './key-set.ts';

const dayMs = 86_400_000;
let root: string;
let directory: string;
let clock: VirtualClock;
let log: ReturnType<typeof createMemoryLog>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keys-'));
  directory = join(root, 'keys');
  clock = new VirtualClock();
  log = createMemoryLog(clock);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(rotateAfterMs = 400 * dayMs): Promise<KeyRing> {
  return openKeyRing({ clock, log }, { directory, rotateAfterMs });
}

async function issue(ring: KeyRing): Promise<string> {
  const issuer = createTokenIssuer({ clock, random: systemRandom, keys: ring });
  return (await issuer.control({ subject: 'me', tenants: '*', scopes: [] }, longestTokenMs)).reveal();
}

function verify(keys: KeySource, token: string): Promise<TokenVerdict> {
  return createTokenVerifier({ clock, keys }, { audience: audiences.control }).verify(token);
}

/** The names of the key files. */
function files(): string[] {
  return readdirSync(directory).sort();
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

describe('a key ring', () => {
  it('I1: keeps its key on the disk for its owner alone, before it signs', async () => {
    const ring = await open();
    const [file = ''] = files();
    expect(file).toBe(`${ring.jwks().keys[0]?.kid}.json`);
    expect(modeOf(join(directory, file))).toBe('600');
    expect(modeOf(directory)).toBe('700');
    const text = readFileSync(join(directory, file), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ createdAtMs: clock.now(), key: { kty: 'RSA' } });
    await ring.rotate();
    expect(files()).toHaveLength(2);
    for (const each of files()) expect(modeOf(join(directory, each))).toBe('600');
  });

  it('I1: a key that cannot be kept signs nothing', async () => {
    writeFileSync(directory, 'a file where the folder should be');
    await expect(open()).rejects.toMatchObject({ code: 'KEY_FOLDER_UNUSABLE' });
  });

  it('signs on with the same key after a restart', async () => {
    const token = await issue(await open());
    const again = await open();
    expect(await verify(again, token)).toMatchObject({ kind: 'valid' });
    expect(files()).toHaveLength(1);
  });

  it('publishes public parts only', async () => {
    const ring = await open();
    expect(Object.keys(ring.jwks().keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const { d } = JSON.parse(readFileSync(join(directory, files()[0] ?? ''), 'utf8')).key;
    expect(d).toBeTypeOf('string');
    expect(inspect(ring, { depth: 9 }) + inspect(await ring.signingKey(), { depth: 9 })).not.toContain(d);
    expect(JSON.stringify(log.records)).not.toContain(d);
  });

  it('I2: the newest key signs, and an old one verifies until its last token has ended', async () => {
    const ring = await open();
    const [first] = ring.jwks().keys;
    await clock.advance(dayMs);
    const before = await issue(ring);
    const second = await ring.rotate();
    expect(second.kid).not.toBe(first?.kid);
    expect((await ring.signingKey()).publicKey.kid).toBe(second.kid);
    expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual([second.kid, first?.kid]);
    const after = await issue(ring);
    // The set that another process has fetched serves both, too.
    for (const keys of [ring, createFixedKeys(ring.jwks())]) {
      expect(await verify(keys, before)).toMatchObject({ kind: 'valid' });
      expect(await verify(keys, after)).toMatchObject({ kind: 'valid' });
    }
    await clock.advance(longestTokenMs + clockSkewMs - 1);
    expect(await verify(ring, before)).toMatchObject({ kind: 'valid' });
    await clock.advance(60_001);
    expect(await verify(ring, before)).toMatchObject({ code: 'TOKEN_KEY_UNKNOWN' });
    expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual([second.kid]);
    await ring.rotate();
    expect(files()).not.toContain(`${first?.kid}.json`);
  });

  it('I2: a key that has signed long enough is followed by a new one at its next use', async () => {
    const ring = await open(dayMs);
    const [first] = ring.jwks().keys;
    await clock.advance(dayMs - 1);
    expect((await ring.signingKey()).publicKey.kid).toBe(first?.kid);
    await clock.advance(1);
    expect((await ring.signingKey()).publicKey.kid).not.toBe(first?.kid);
  });

  it('I2: the newest key signs even after the clock was set back', async () => {
    const ring = await open();
    clock = new VirtualClock(clock.now() - dayMs);
    const earlier = await open();
    const made = await earlier.rotate();
    expect((await earlier.signingKey()).publicKey.kid).toBe(made.kid);
    expect(ring.jwks().keys[0]?.kid).not.toBe(made.kid);
  });

  it('I3: finds the key of another process at once, and signs with it soon', async () => {
    const [one, two] = [await open(), await open()];
    await clock.advance(1_000);
    const { kid } = await two.rotate();
    const token = await issue(two);
    expect(await verify(one, token)).toMatchObject({ kind: 'valid' });
    expect((await one.signingKey()).publicKey.kid).toBe(kid);
  });

  it('I3: reads the folder once per second at most, whatever it is asked for', async () => {
    const [one, two] = [await open(), await open()];
    const { kid } = await two.rotate();
    expect(await one.find(kid)).toEqual({ kind: 'unknown' });
    await clock.advance(999);
    expect(await one.find(kid)).toEqual({ kind: 'unknown' });
    await clock.advance(1);
    expect(await one.find(kid)).toMatchObject({ kind: 'found' });
  });

  it('I3: a key whose file was removed counts no more', async () => {
    const ring = await open();
    const token = await issue(ring);
    const [stolen = ''] = files();
    await ring.rotate();
    rmSync(join(directory, stolen));
    await clock.advance(60_000);
    await ring.signingKey();
    expect(await verify(ring, token)).toMatchObject({ code: 'TOKEN_KEY_UNKNOWN' });
  });

  it.each([
    ['is readable by others', (path: string) => chmodSync(path, 0o640), 'KEY_FILE_EXPOSED'],
    ['is writable by others', (path: string) => chmodSync(path, 0o602), 'KEY_FILE_EXPOSED'],
    ['is no JSON', (path: string) => writeFileSync(path, '{"createdAtMs":1,"key":{"d":"secret'), 'KEY_FILE_INVALID'],
    ['holds no time', (path: string) => writeFileSync(path, '{"key":{"kty":"RSA"}}'), 'KEY_FILE_INVALID'],
    ['holds no key', (path: string) => writeFileSync(path, '{"createdAtMs":1,"key":"secret"}'), 'KEY_FILE_INVALID'],
    ['is too large', (path: string) => writeFileSync(path, ' '.repeat(70_000)), 'KEY_FILE_INVALID'],
    ['has lost its private part', (path: string) => rewriteKey(path, { d: undefined }), 'KEY_FILE_INVALID'],
    ['has the private part of another', (path: string) => rewriteKey(path, anotherPrivatePart()), 'KEY_FILE_INVALID'],
    ['bears the id of another key', (path: string) => rewriteKey(path, { kid: 'other' }), 'KEY_FILE_INVALID'],
    ['is a key for an HMAC', (path: string) => rewriteKey(path, { kty: 'oct', k: 'c2VjcmV0' }), 'KEY_FILE_INVALID'],
  ])('I4: does not open with a key that %s', async (_what, spoil, code) => {
    await open();
    const path = join(directory, files()[0] ?? '');
    const before = readFileSync(path, 'utf8');
    spoil(path);
    const failure: unknown = await open().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(failure).toMatchObject({ code, details: { path } });
    expect(String(failure)).not.toContain('secret');
    expect(inspect(failure, { depth: 9 })).not.toContain(JSON.parse(before).key.d);
  });

  it('I4: does not open in a folder where others could plant a key', async () => {
    await open();
    chmodSync(directory, 0o777);
    await expect(open()).rejects.toMatchObject({ code: 'KEY_FILE_EXPOSED' });
  });

  it('I4: leaves out a key that comes later and is broken, and says so', async () => {
    const ring = await open();
    const token = await issue(ring);
    writeFileSync(join(directory, 'later.json'), 'nonsense', { mode: 0o600 });
    writeFileSync(join(directory, 'notes.txt'), 'not a key at all');
    await clock.advance(1_000);
    expect(await ring.find('later')).toEqual({ kind: 'unknown' });
    expect(log.withMessage('A signing key was left out.')).toMatchObject([
      { level: 'error', fields: { keyId: 'later', code: 'KEY_FILE_INVALID' } },
    ]);
    expect(await verify(ring, token)).toMatchObject({ kind: 'valid' });
  });

  it('I5: makes one key for many who rotate at the same time', async () => {
    const ring = await open();
    const made = await Promise.all([ring.rotate(), ring.rotate(), ring.rotate()]);
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(1);
    expect(files()).toHaveLength(2);
  });

  it('I5: goes on with the old key while a rotation that is due fails', async () => {
    const ring = await open(dayMs);
    const [first] = ring.jwks().keys;
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file where the folder was');
    await clock.advance(dayMs);
    expect((await ring.signingKey()).publicKey.kid).toBe(first?.kid);
    expect(log.withMessage('The signing key could not be rotated; the old one goes on.')).toHaveLength(1);
    await expect(ring.rotate()).rejects.toMatchObject({ code: 'KEY_FOLDER_UNUSABLE' });
  });

  it('signs tokens of workers that verify with its published keys', async () => {
    const ring = await open();
    const { kind: _kind, ...grant } = sampleWorker;
    const token = await createTokenIssuer({ clock, random: systemRandom, keys: ring }).worker(grant);
    const verifier = createTokenVerifier(
      { clock, keys: createFixedKeys(ring.jwks()) },
      { audience: audiences.runtime },
    );
    expect(await verifier.verify(token.reveal())).toMatchObject({ kind: 'valid', claims: sampleWorker });
  });
});

function anotherPrivatePart(): Record<string, unknown> {
  const { n: _modulus, ...privatePart } = forgeKey().privateKey.export({ format: 'jwk' });
  return privatePart;
}

function rewriteKey(path: string, changes: Record<string, unknown>): void {
  const kept = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...kept, key: { ...kept.key, ...changes } }));
}
