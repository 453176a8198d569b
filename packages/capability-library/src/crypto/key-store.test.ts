import { createHash, createHmac, verify } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemRandom } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CapabilityInstance } from '../capability-module.ts';
import { codeOf } from '../testing/code-of.ts';
import { methodsOf } from '../testing/methods-of.ts';
import { createCryptoCapability } from './crypto-capability.ts';

let folder: string;
const open: CapabilityInstance[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crypto-'));
});

afterEach(async () => {
  for (const instance of open.splice(0)) await instance.dispose?.();
  rmSync(folder, { recursive: true });
});

async function create(statePath: string | null = null, config: Record<string, unknown> = {}) {
  const deps = { clock: new VirtualClock(), random: systemRandom };
  const settings = { name: 'crypto', version: '1.0.0', shard: 'crypto:shard-0', config, statePath };
  const instance = await createCryptoCapability(deps).create(settings);
  open.push(instance);
  return methodsOf(instance);
}

const bytes = (value: unknown): Uint8Array => {
  if (!(value instanceof Uint8Array)) throw new Error('no bytes');
  return value;
};

test('gives the digests that everybody gives', async () => {
  const crypto = await create();
  for (const algorithm of ['sha256', 'SHA-512', 'sha3-256', 'blake2b512']) {
    const expected = createHash(algorithm.toLowerCase().replace('sha-', 'sha')).update('abc').digest();
    expect([...bytes(await crypto('hash', [algorithm, 'abc']))]).toEqual([...expected]);
  }
  for (const weak of ['md5', 'sha1', '__proto__', 7])
    expect(await codeOf(() => crypto('hash', [weak, 'abc']))).toBe('PARAMETER_INVALID');
});

test('a signature is good for everybody who has the public key', async () => {
  const crypto = await create();
  await crypto('createKey', ['release', 'sign']);
  const signature = bytes(await crypto('sign', ['release', 'v1.2.3']));
  const publicKey = String(await crypto('publicKey', ['release']));
  expect(verify(null, Buffer.from('v1.2.3'), publicKey, signature)).toBe(true);
  expect(verify(null, Buffer.from('v1.2.4'), publicKey, signature)).toBe(false);
  expect(await crypto('verify', ['release', 'v1.2.3', signature])).toBe(true);
  expect(await crypto('verify', ['release', 'v1.2.4', signature])).toBe(false);
});

test('a MAC needs the key', async () => {
  const crypto = await create();
  await crypto('createKey', ['a', 'hmac']);
  await crypto('createKey', ['b', 'hmac']);
  const mac = bytes(await crypto('hmac', ['a', 'data']));
  expect(mac).toHaveLength(32);
  expect(await crypto('verifyHmac', ['a', 'data', mac])).toBe(true);
  expect(await crypto('verifyHmac', ['b', 'data', mac])).toBe(false);
  expect(await crypto('verifyHmac', ['a', 'data', mac.subarray(1)])).toBe(false);
});

test('what was sealed opens with the same key and context, and in no other way', async () => {
  const crypto = await create();
  await crypto('createKey', ['box', 'seal']);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.string(), fc.nat(), async (data, context, place) => {
      const sealed = bytes(await crypto('seal', ['box', data, context]));
      expect(await crypto('unseal', ['box', sealed, context])).toEqual(data);
      expect(await codeOf(() => crypto('unseal', ['box', sealed, `${context}x`]))).toBe('UNSEAL_FAILED');
      const changed = new Uint8Array(sealed);
      const index = place % changed.length;
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(await codeOf(() => crypto('unseal', ['box', changed, context]))).toBe('UNSEAL_FAILED');
    }),
    { numRuns: 30 },
  );
  expect(await codeOf(() => crypto('unseal', ['box', 'short']))).toBe('UNSEAL_FAILED');
});

test('I1: accounts see their own keys only', async () => {
  const crypto = await create();
  await crypto('createKey', ['k', 'seal'], { account: 'ann' });
  const sealed = await crypto('seal', ['k', 'x'], { account: 'ann' });
  expect(await crypto('listKeys', [], { account: 'bob' })).toEqual([]);
  expect(await codeOf(() => crypto('unseal', ['k', sealed], { account: 'bob' }))).toBe('KEY_UNKNOWN');
  await crypto('createKey', ['k', 'seal'], { account: 'bob' });
  expect(await codeOf(() => crypto('unseal', ['k', sealed], { account: 'bob' }))).toBe('UNSEAL_FAILED');
});

test('I3: a key is made once', async () => {
  const crypto = await create();
  await crypto('createKey', ['k', 'sign']);
  const before = await crypto('publicKey', ['k']);
  await crypto('createKey', ['k', 'sign']);
  expect(await crypto('publicKey', ['k'])).toBe(before);
  expect(await codeOf(() => crypto('createKey', ['k', 'seal']))).toBe('KEY_UNFIT');
  expect(await codeOf(() => crypto('hmac', ['k', 'x']))).toBe('KEY_UNFIT');
  expect(await codeOf(() => crypto('createKey', ['', 'seal']))).toBe('PARAMETER_INVALID');
  expect(await codeOf(() => crypto('createKey', ['x', 'toString']))).toBe('PARAMETER_INVALID');
});

test('I4: after a rotation the new version is used, and the old one still opens and verifies', async () => {
  const crypto = await create();
  await crypto('createKey', ['s', 'sign']);
  await crypto('createKey', ['e', 'seal']);
  const [signature, sealed] = [await crypto('sign', ['s', 'x']), await crypto('seal', ['e', 'x'])];
  const oldPublic = await crypto('publicKey', ['s']);
  expect(await crypto('rotateKey', ['s'])).toBe(2);
  expect(await crypto('rotateKey', ['e'])).toBe(2);
  expect(await crypto('publicKey', ['s'])).not.toBe(oldPublic);
  expect(await crypto('verify', ['s', 'x', signature])).toBe(true);
  expect(Buffer.from(bytes(await crypto('unseal', ['e', sealed]))).toString()).toBe('x');
  expect(await crypto('listKeys')).toMatchObject([
    { name: 'e', kind: 'seal', version: 2, versions: [1, 2] },
    { name: 's', kind: 'sign', version: 2, versions: [1, 2] },
  ]);
  await crypto('retireKey', ['s', 1]);
  await crypto('retireKey', ['e', 1]);
  expect(await crypto('verify', ['s', 'x', signature])).toBe(false);
  expect(await codeOf(() => crypto('unseal', ['e', sealed]))).toBe('UNSEAL_FAILED');
});

test('I5: the version in use cannot be retired', async () => {
  const crypto = await create();
  await crypto('createKey', ['k', 'hmac']);
  expect(await codeOf(() => crypto('retireKey', ['k', 1]))).toBe('KEY_UNFIT');
  expect(await codeOf(() => crypto('retireKey', ['k', 7]))).toBe('KEY_UNKNOWN');
});

test('keys outlive the host where it has state, and the files are for the owner only', async () => {
  const statePath = join(folder, 'state.sqlite');
  const first = await create(statePath);
  await first('createKey', ['k', 'hmac']);
  const mac = await first('hmac', ['k', 'x']);
  await open.pop()?.dispose?.();
  const second = await create(statePath);
  expect(await second('hmac', ['k', 'x'])).toEqual(mac);
  expect(statSync(`${statePath}.key`).mode & 0o077).toBe(0);
});

test('I2: no key stands in the files as it is, and a row in the wrong place is refused', async () => {
  const statePath = join(folder, 'state.sqlite');
  const masterKeyFile = join(folder, 'master');
  writeFileSync(masterKeyFile, 'ab'.repeat(32));
  const crypto = await create(statePath, { masterKeyFile });
  await crypto('createKey', ['k', 'sign']);
  await crypto('createKey', ['k', 'sign'], { account: 'bob' });
  const database = new DatabaseSync(statePath);
  database.exec("UPDATE crypto_keys SET material = (SELECT material FROM crypto_keys WHERE account = 'ann')");
  database.close();
  expect(await codeOf(() => crypto('sign', ['k', 'x'], { account: 'bob' }))).toBe('KEY_UNFIT');
  // Every Ed25519 key in PKCS 8 begins with these bytes.
  const head = Buffer.from('302e020100300506032b657004220420', 'hex');
  for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(head)).toBe(false);
});

test('another master key opens nothing', async () => {
  const statePath = join(folder, 'state.sqlite');
  const masterKeyFile = join(folder, 'master');
  writeFileSync(masterKeyFile, 'ab'.repeat(32));
  await (await create(statePath, { masterKeyFile }))('createKey', ['k', 'hmac']);
  await open.pop()?.dispose?.();
  writeFileSync(masterKeyFile, 'cd'.repeat(32));
  const crypto = await create(statePath, { masterKeyFile });
  expect(await codeOf(() => crypto('hmac', ['k', 'x']))).toBe('KEY_UNFIT');
  writeFileSync(masterKeyFile, 'no hex');
  expect(await codeOf(() => create(statePath, { masterKeyFile }))).toBe('CAPABILITY_CONFIG_INVALID');
  expect(await codeOf(() => create(statePath, { masterKeyFile: join(folder, 'none') }))).toBe(
    'CAPABILITY_CONFIG_INVALID',
  );
});

test('no method gives out what a key is made of', async () => {
  const material = new Uint8Array(32).fill(7);
  const random = { ...systemRandom, bytes: (size: number) => new Uint8Array(size).fill(7) };
  const settings = { name: 'crypto', version: '1.0.0', shard: 's', config: {}, statePath: null };
  const instance = await createCryptoCapability({ clock: new VirtualClock(), random }).create(settings);
  const crypto = methodsOf(instance);
  for (const kind of ['hmac', 'seal']) await crypto('createKey', [kind, kind]);
  for (const name of Object.keys(instance.methods))
    for (const key of ['hmac', 'seal']) {
      const parameters = [key, name === 'createKey' ? key : 'x', new Uint8Array(32)];
      const answer: unknown = await crypto(name, parameters).catch((error: unknown) => String(error));
      const shown = answer instanceof Uint8Array ? Buffer.from(answer) : Buffer.from(JSON.stringify(answer) ?? '');
      expect(shown.includes(Buffer.from(material))).toBe(false);
    }
  // The key is really the one that was looked for.
  const expected = createHmac('sha256', material).update('x').digest();
  expect([...bytes(await crypto('hmac', ['hmac', 'x']))]).toEqual([...expected]);
  await instance.dispose?.();
});
