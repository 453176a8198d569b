import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PackageStore } from './contract.ts';
import { createPackageStore } from './package-store.ts';

const content = Buffer.alloc(300_000, 'switchyard');
const sha256 = createHash('sha256').update(content).digest('hex');

let directory: string;
let store: PackageStore;
let clock: VirtualClock;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'switchyard-packages-')), 'packages');
  clock = new VirtualClock();
  store = createPackageStore(
    { clock, random: createSeededRandom(1) },
    { directory, maxBytes: 1_000_000, graceMs: 1_000 },
  );
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

async function* chunks(bytes: Uint8Array, sizeBytes = 7_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}

async function collectBytes(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

const files = (): string[] => readdirSync(directory).filter((name) => name !== 'incoming');
const drafts = (): string[] => readdirSync(join(directory, 'incoming'));
const path = (): string => join(directory, `${sha256}.zip`);

describe('putting a package', () => {
  it('I1: stores it under its hash, once', async () => {
    expect(await store.put(sha256, chunks(content))).toEqual({
      kind: 'stored',
      sizeBytes: content.length,
      isNew: true,
    });
    expect(await store.put(sha256, chunks(content))).toEqual({
      kind: 'stored',
      sizeBytes: content.length,
      isNew: false,
    });
    expect([files(), drafts()]).toEqual([[`${sha256}.zip`], []]);
    expect(readFileSync(path()).equals(content)).toBe(true);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(await store.sizeOf(sha256)).toBe(content.length);
  });

  it('I1: shows nothing before the last byte', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield* chunks(content);
      expect(files()).toEqual([]);
      expect(await store.sizeOf(sha256)).toBeUndefined();
    }
    expect(await store.put(sha256, slow())).toMatchObject({ kind: 'stored' });
  });

  it('I1: takes the same package twice at a time', async () => {
    const outcomes = await Promise.all([store.put(sha256, chunks(content, 999)), store.put(sha256, chunks(content))]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'stored']);
    expect([files(), drafts()]).toEqual([[`${sha256}.zip`], []]);
  });

  it('I3: refuses other bytes than those of the hash', async () => {
    const outcome = await store.put(sha256, chunks(content.subarray(1)));
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'PACKAGE_MISMATCH' } });
    expect([files(), drafts()]).toEqual([[], []]);
  });

  it('I3: refuses what is too large, without reading on', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        taken += 1;
        yield content;
      }
    }
    const outcome = await store.put(sha256, endless());
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'PACKAGE_TOO_LARGE' } });
    expect([taken, files(), drafts()]).toEqual([4, [], []]);
  });

  it('I3: leaves nothing when the sender breaks off', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield content;
      throw new Error('gone');
    }
    await expect(store.put(sha256, broken())).rejects.toThrow('gone');
    await expect(store.put(sha256, chunks(content), AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
    expect([files(), drafts()]).toEqual([[], []]);
  });

  it('says so when the disk does not take it', async () => {
    writeFileSync(directory, 'a file where the folder should be');
    await expect(store.put(sha256, chunks(content))).rejects.toMatchObject({ code: 'PACKAGE_NOT_STORED' });
  });
});

describe('reading a package', () => {
  it('gives the bytes and the path, and undefined for what there is not', async () => {
    expect([await store.open(sha256), await store.locate(sha256), await store.sizeOf(sha256)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await store.put(sha256, chunks(content));
    const opened = await store.open(sha256);
    expect(opened?.sizeBytes).toBe(content.length);
    expect((await collectBytes(opened?.bytes ?? chunks(Buffer.alloc(0)))).equals(content)).toBe(true);
    expect(await store.locate(sha256)).toBe(path());
  });

  it('I2: never gives out all of a damaged one, and takes it anew', async () => {
    await store.put(sha256, chunks(content));
    appendFileSync(path(), '!');
    const opened = await store.open(sha256);
    let given = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of opened?.bytes ?? []) given += chunk.length;
    };
    await expect(read()).rejects.toMatchObject({ code: 'PACKAGE_DAMAGED' });
    expect(given).toBeLessThan(content.length);
    expect([await store.sizeOf(sha256), existsSync(`${path()}.damaged`)]).toEqual([undefined, true]);
    expect(await store.put(sha256, chunks(content))).toMatchObject({ isNew: true });
    expect(await store.locate(sha256)).toBe(path());
  });

  it('I2: does not name the path of a damaged one', async () => {
    await store.put(sha256, chunks(content));
    writeFileSync(path(), '');
    await expect(store.locate(sha256)).rejects.toMatchObject({ code: 'PACKAGE_DAMAGED' });
    expect([await store.locate(sha256), await store.pathOf(sha256)]).toEqual([undefined, undefined]);
  });

  it('refuses a name that is no hash', async () => {
    await expect(async () => store.sizeOf('../etc/passwd')).rejects.toThrow(/hexadecimal/);
  });
});

describe('collecting', () => {
  const age = (name: string, byMs: number): void => {
    const seconds = (clock.now() - byMs) / 1_000;
    utimesSync(join(directory, name), seconds, seconds);
  };

  it('I4: removes what is old and unreferenced, and nothing else', async () => {
    const others = ['one', 'two'].map((text) => ({ text, hash: createHash('sha256').update(text).digest('hex') }));
    await store.put(sha256, chunks(content));
    for (const { text, hash } of others) await store.put(hash, chunks(Buffer.from(text)));
    const [young, used] = others.map(({ hash }) => hash);
    writeFileSync(join(directory, 'incoming', 'left'), '');
    writeFileSync(join(directory, 'notes.txt'), '');
    for (const name of [`${sha256}.zip`, `${used}.zip`, 'incoming/left', 'notes.txt']) age(name, 2_000);
    age(`${young}.zip`, 500);
    expect(await store.collect((hash) => hash === used)).toEqual([sha256]);
    expect(files().sort()).toEqual([`${young}.zip`, `${used}.zip`, 'notes.txt'].sort());
    expect(drafts()).toEqual([]);
  });

  it('finds nothing where nothing was ever stored', async () => {
    expect(await store.collect(() => false)).toEqual([]);
  });
});
