import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKeyRing } from '@switchyard/identity';
import { silentLog, systemClock } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeySource } from './open-key-source.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-keys-'));
  path = join(folder, 'jwks.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openKeySource(silentLog, { from: path, allowClear: false });

describe('openKeySource', () => {
  it('finds the keys of a file, and those that come into it later', async () => {
    const ring = await openKeyRing({ clock: systemClock, log: silentLog }, { directory: join(folder, 'keys') });
    const before = ring.jwks();
    writeFileSync(path, JSON.stringify(before));
    const keys = await open();
    expect(await keys.find(before.keys[0]?.kid ?? '')).toMatchObject({ kind: 'found' });
    const later = await ring.rotate();
    writeFileSync(path, JSON.stringify(ring.jwks()));
    utimesSync(path, 2_000_000_000, 2_000_000_000);
    expect(await keys.find(later.kid)).toMatchObject({ kind: 'found', key: { kid: later.kid } });
    expect(await keys.find('nobody')).toEqual({ kind: 'unknown' });
  });

  it('keeps the keys that it has when the file is broken', async () => {
    const ring = await openKeyRing({ clock: systemClock, log: silentLog }, { directory: join(folder, 'keys') });
    writeFileSync(path, JSON.stringify(ring.jwks()));
    const keys = await open();
    writeFileSync(path, 'no JSON');
    expect(await keys.find('nobody')).toEqual({ kind: 'unknown' });
    expect(await keys.find(ring.jwks().keys[0]?.kid ?? '')).toMatchObject({ kind: 'found' });
  });

  it.each([
    ['no JSON', 'x', 'RUNTIME_KEYS_INVALID'],
    ['no key set', '{}', 'RUNTIME_KEYS_INVALID'],
    ['an empty one', '{"keys":[]}', 'RUNTIME_KEYS_INVALID'],
  ])('refuses %s', async (_what, text, code) => {
    writeFileSync(path, text);
    await expect(open()).rejects.toMatchObject({ code, message: expect.stringContaining('jwks.json') });
  });

  it('names a file that is not there, and an address that is not protected', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'RUNTIME_FILE_UNREADABLE' });
    const from = 'http://control.example/jwks.json';
    await expect(openKeySource(silentLog, { from, allowClear: false })).rejects.toMatchObject({ code: 'KEY_SET_URL' });
  });
});
