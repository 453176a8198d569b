import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSeal, openKeyFile } from './seal.ts';

const key = new Uint8Array(32).fill(7);

describe('createSeal', () => {
  const seal = createSeal(createSeededRandom(1), key);

  it('I1: opens to the same text in its place, and nowhere else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), fc.array(fc.string()), (text, place, other) => {
        const bytes = seal.seal(text, place);
        expect(seal.open(bytes, place)?.reveal()).toBe(Buffer.from(text).toString());
        fc.pre(JSON.stringify(place) !== JSON.stringify(other));
        expect(seal.open(bytes, other)).toBeUndefined();
      }),
    );
  });

  it('I1: refuses bytes that were changed, cut or sealed with another key', () => {
    const bytes = seal.seal('secret', ['a']);
    for (let index = 0; index < bytes.length; index += 1) {
      expect(seal.open(bytes.with(index, (bytes[index] ?? 0) ^ 1), ['a'])).toBeUndefined();
      expect(seal.open(bytes.subarray(0, index), ['a'])).toBeUndefined();
    }
    const other = createSeal(createSeededRandom(1), new Uint8Array(32).fill(8));
    expect(other.open(bytes, ['a'])).toBeUndefined();
    expect(other.digest('a')).not.toBe(seal.digest('a'));
  });

  it('never seals twice alike, and digests equal texts alike', () => {
    expect(seal.seal('secret', ['a'])).not.toEqual(seal.seal('secret', ['a']));
    expect(seal.digest('a')).toBe(seal.digest('a'));
    expect(seal.digest('a')).not.toBe(seal.digest('b'));
  });
});

describe('openKeyFile', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'switchyard-key-'));
    file = join(directory, 'deep', 'catalog.key');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('I2: makes the file once, for its owner alone, and leaves no draft', () => {
    const made = openKeyFile(createSeededRandom(1), file, { mayMake: true });
    expect(openKeyFile(createSeededRandom(2), file, { mayMake: true })).toEqual(made);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'deep'))).toEqual(['catalog.key']);
  });

  it('I2: refuses a file that others can read, and leaves it alone', () => {
    openKeyFile(createSeededRandom(1), file, { mayMake: true });
    const text = readFileSync(file, 'utf8');
    chmodSync(file, 0o640);
    expect(() => openKeyFile(createSeededRandom(1), file, { mayMake: true })).toThrow(/mode 600/);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('names a file that is no key, and one that is missing', () => {
    expect(() => openKeyFile(createSeededRandom(1), file, { mayMake: false })).toThrow(file);
    writeFileSync(join(directory, 'short'), 'c2hvcnQ=', { mode: 0o600 });
    const open = () => openKeyFile(createSeededRandom(1), join(directory, 'short'), { mayMake: true });
    expect(open).toThrow(expect.objectContaining({ code: 'CATALOG_KEY_UNUSABLE' }));
  });
});
