import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Secret } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeZip, type ZipEntry } from '../testing/make-zip.ts';
import { createPackageFolders, type PackageFolders, type PackageFoldersOptions } from './package-folders.ts';
import type { FetchInit, FetchPackage } from './package-source.ts';
import { removeTree } from './remove-tree.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-packages-'));
});
afterEach(() => removeTree(root));

interface Asked extends FetchInit {
  readonly url: string;
}

function createRun(
  respond?: (asked: Asked) => Response | Promise<Response>,
  options: Partial<PackageFoldersOptions> = {},
) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const asked: Asked[] = [];
  const fetch: FetchPackage = async (url, init) => {
    asked.push({ url, ...init });
    if (respond === undefined) throw new Error('no network in this test');
    return await respond({ url, ...init });
  };
  const directory = join(root, 'apps');
  const folders = createPackageFolders({ clock, log, fetch, random: createSeededRandom(3) }, { directory, ...options });
  return { clock, log, asked, directory, folders };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A zip in a file of this machine. */
function store(entries: readonly ZipEntry[]) {
  const bytes = makeZip(entries);
  const url = join(root, 'package.zip');
  writeFileSync(url, bytes);
  return { url, bytes, sha256: hashOf(bytes) };
}

const app = [
  { name: 'host.json', content: '{"version":"2.0"}' },
  { name: 'src/', content: '' },
  { name: 'src/functions/hello.js', content: 'module.exports = 1;' },
  { name: 'run.sh', content: '#!/bin/sh', mode: 0o100755 },
] as const;

async function rejection(opening: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await opening.then(
    () => Promise.reject(new Error('it was opened')),
    (error) => error,
  );
}

/** No part of a package and no download is left. */
function expectNothingLeft(directory: string): void {
  expect(existsSync(directory) ? readdirSync(directory) : []).toEqual([]);
}

describe('opening a package', () => {
  it('I1: unpacks a file under its hash, and takes that folder the next time', async () => {
    const { folders, directory, log } = createRun();
    const source = store(app);
    const folder = await folders.open(source);
    expect(folder).toBe(join(directory, source.sha256));
    expect(readFileSync(join(folder, 'src/functions/hello.js'), 'utf8')).toBe('module.exports = 1;');
    expect(readdirSync(directory)).toEqual([source.sha256]);
    writeFileSync(source.url, 'gone');
    expect(await folders.open({ ...source, sha256: source.sha256.toUpperCase() })).toBe(folder);
    expect(log.records.filter(({ message }) => message === 'A package was unpacked.')).toHaveLength(1);
  });

  it('takes a file URL, too', async () => {
    const { folders } = createRun();
    const source = store(app);
    const folder = await folders.open({ ...source, url: pathToFileURL(source.url).href });
    expect(existsSync(join(folder, 'host.json'))).toBe(true);
  });

  it('I5: its files may be read, and programs run, but not changed', async () => {
    const { folders } = createRun();
    const folder = await folders.open(store(app));
    const modeOf = (name: string): string => (statSync(join(folder, name)).mode & 0o777).toString(8);
    expect([modeOf('host.json'), modeOf('run.sh'), modeOf('src'), modeOf('src/functions'), modeOf('.')]).toEqual([
      '444',
      '555',
      '555',
      '555',
      '555',
    ]);
  });

  it('I2: calls at the same time join one download; a failed one is tried anew', async () => {
    const bytes = makeZip(app);
    let answers = 0;
    const run = createRun(() => {
      answers += 1;
      return answers === 1 ? new Response('no', { status: 500 }) : new Response(bytes);
    });
    const source = { url: 'https://store.example/p', sha256: hashOf(bytes) };
    const failed = [run.folders.open(source), run.folders.open(source)].map(rejection);
    expect((await Promise.all(failed)).map(({ code }) => code)).toEqual(['PACKAGE_REFUSED', 'PACKAGE_REFUSED']);
    expectNothingLeft(run.directory);
    const folders = await Promise.all([run.folders.open(source), run.folders.open(source), run.folders.open(source)]);
    expect([new Set(folders).size, answers]).toEqual([1, 2]);
  });

  it('I1: of two processes that unpack the same content, both are served by one folder', async () => {
    const source = store(app);
    const one = createRun();
    const other = createPackageFolders(
      { clock: one.clock, log: one.log, fetch: () => Promise.reject(new Error('none')), random: createSeededRandom(9) },
      { directory: one.directory },
    );
    const [first, second] = await Promise.all([one.folders.open(source), other.open(source)]);
    expect(second).toBe(first);
    expect(readdirSync(one.directory)).toEqual([source.sha256]);
  });

  it('removes what a process that died has left, once it is old', async () => {
    const { folders, directory, clock } = createRun();
    const source = store(app);
    await folders.open(source);
    const leftover = join(directory, '.unfinished-1');
    const fresh = join(directory, '.unfinished-2');
    for (const path of [leftover, fresh]) writeFileSync(path, '');
    const nowSeconds = clock.now() / 1_000;
    utimesSync(leftover, nowSeconds - 4_000, nowSeconds - 4_000);
    utimesSync(fresh, nowSeconds - 10, nowSeconds - 10);
    await createPackageFolders(
      {
        clock,
        log: createMemoryLog(clock),
        fetch: () => Promise.reject(new Error('none')),
        random: createSeededRandom(4),
      },
      { directory },
    ).open(store([{ name: 'other.txt', content: 'x' }]));
    expect([existsSync(leftover), existsSync(fresh)]).toEqual([false, true]);
  });
});

describe('the store', () => {
  it('gets the token as a bearer, and may lead nobody else to it', async () => {
    const bytes = makeZip(app);
    const run = createRun(() => new Response(bytes));
    await run.folders.open({
      url: 'https://store.example/p?sig=s3cret',
      sha256: hashOf(bytes),
      token: new Secret('t'),
    });
    expect(run.asked).toMatchObject([{ headers: { authorization: 'Bearer t' }, redirect: 'error' }]);
    expect(JSON.stringify(run.log.records)).not.toMatch(/s3cret|Bearer/);
  });

  it('is asked without a token over http on this machine only', async () => {
    const bytes = makeZip(app);
    const sha256 = hashOf(bytes);
    const token = new Secret('t');
    const run = createRun(() => new Response(bytes));
    const url = 'http://store.example/p?sig=s3cret';
    const refused = await rejection(run.folders.open({ url, sha256, token }));
    expect(refused).toMatchObject({ code: 'PACKAGE_TOKEN_IN_CLEAR' });
    expect([refused.message.includes('s3cret'), run.asked.length]).toEqual([false, 0]);
    await run.folders.open({ url: 'http://127.0.0.1:7072/p', sha256, token });
    const allowed = createRun(() => new Response(bytes), { directory: join(root, 'more'), allowClearTokens: true });
    await allowed.folders.open({ url, sha256, token });
    expect(allowed.asked).toHaveLength(1);
  });

  it.each([401, 404, 503])('answers %d: the error says so, and nothing is left', async (status) => {
    const run = createRun(() => new Response('no', { status }));
    const error = await rejection(run.folders.open({ url: 'https://store.example/p?sig=x', sha256: 'ab'.repeat(32) }));
    expect(error).toMatchObject({ code: 'PACKAGE_REFUSED', message: expect.stringContaining(String(status)) });
    expect(error.message).not.toContain('sig=');
    expectNothingLeft(run.directory);
  });

  it('I3: sends other bytes than asked for', async () => {
    const run = createRun(() => new Response(makeZip(app)));
    const error = await rejection(run.folders.open({ url: 'https://store.example/p', sha256: 'ab'.repeat(32) }));
    expect(error).toMatchObject({ code: 'PACKAGE_HASH_WRONG' });
    expectNothingLeft(run.directory);
  });

  it('I4: stands still', async () => {
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(10)) });
    let started: () => void = () => {};
    const start = new Promise<void>((resolve) => {
      started = resolve;
    });
    const run = createRun(() => {
      started();
      return new Response(body);
    });
    const error = rejection(run.folders.open({ url: 'https://store.example/p', sha256: 'ab'.repeat(32) }));
    await start;
    await run.clock.advance(30_000);
    await run.clock.advance(30_000);
    expect(await error).toMatchObject({ code: 'PACKAGE_LATE' });
    expectNothingLeft(run.directory);
  });

  it('sends more than a package may have', async () => {
    const run = createRun(() => new Response(new Uint8Array(2_000)), { limits: { packageBytes: 1_000 } });
    const error = await rejection(run.folders.open({ url: 'https://store.example/p', sha256: 'ab'.repeat(32) }));
    expect(error).toMatchObject({ code: 'PACKAGE_LIMIT_EXCEEDED' });
    expectNothingLeft(run.directory);
  });

  it.each(['ftp://x/y', 'relative/path.zip', ''])('cannot be at %j', async (url) => {
    expect(await rejection(createRun().folders.open({ url, sha256: 'ab'.repeat(32) }))).toMatchObject({
      code: 'PACKAGE_SOURCE_INVALID',
    });
  });

  it('I1: a hash that is none opens nothing', async () => {
    const { folders } = createRun();
    const source = { url: store(app).url, sha256: '../../etc' };
    expect(await rejection(folders.open(source))).toMatchObject({ code: 'PACKAGE_SOURCE_INVALID' });
  });

  it('is not there', async () => {
    const run = createRun();
    const sha256 = 'ab'.repeat(32);
    expect(await rejection(run.folders.open({ url: join(root, 'none.zip'), sha256 }))).toMatchObject({
      code: 'PACKAGE_UNREACHABLE',
    });
    expect(await rejection(run.folders.open({ url: 'https://store.example/p', sha256 }))).toMatchObject({
      code: 'PACKAGE_UNREACHABLE',
      message: expect.stringContaining('no network'),
    });
  });
});

describe('a hostile package', () => {
  const open = async (folders: PackageFolders, entries: readonly ZipEntry[]) =>
    await rejection(folders.open(store([...app, ...entries])));

  it.each([
    ['climbs out', { name: '../out.txt', content: 'x' }],
    ['climbs out further in', { name: 'a/../../out.txt', content: 'x' }],
    ['names a place of the machine', { name: '/tmp/switchyard-out.txt', content: 'x' }],
    ['names a drive', { name: 'C:/out.txt', content: 'x' }],
  ])('I2: %s, and nothing of it is left', async (_what, entry) => {
    const run = createRun();
    expect(await open(run.folders, [entry])).toMatchObject({ code: 'PACKAGE_UNREADABLE' });
    expectNothingLeft(run.directory);
    expect(existsSync(join(root, 'out.txt'))).toBe(false);
  });

  it.each([
    ['is a link', { name: 'link', content: '/etc/passwd', mode: 0o120777 }, 'symbolic link'],
    ['is a device', { name: 'device', content: '', mode: 0o020666 }, 'neither a file nor a folder'],
    ['stands twice in it', { name: 'host.json', content: 'other' }, 'in the place of another one'],
    ['is a file where a folder is', { name: 'src', content: 'x' }, 'in the place of another one'],
    ['is below a file', { name: 'host.json/x', content: 'x' }, 'in the place of another one'],
    ['has a dot for a name', { name: './x', content: 'x' }, 'dot part'],
    ['has no end to its name', { name: `${'a'.repeat(2_000)}`, content: 'x' }, 'more than 1024 characters'],
  ])('I2: an entry that %s is refused by name', async (_what, entry, reason) => {
    const run = createRun();
    expect(await open(run.folders, [entry])).toMatchObject({
      code: 'PACKAGE_ENTRY_REFUSED',
      message: expect.stringContaining(reason),
    });
    expectNothingLeft(run.directory);
  });

  it('unpacks to more than is allowed', async () => {
    const run = createRun(undefined, { limits: { unpackedBytes: 100_000 } });
    const bomb = { name: 'bomb', content: new Uint8Array(10_000_000), deflate: true };
    expect(await open(run.folders, [bomb])).toMatchObject({ code: 'PACKAGE_LIMIT_EXCEEDED' });
    expectNothingLeft(run.directory);
  });

  it('says that its bomb is small', async () => {
    const run = createRun();
    const bomb = { name: 'bomb', content: new Uint8Array(1_000_000), deflate: true, claimedBytes: 10 };
    expect(await open(run.folders, [bomb])).toMatchObject({ code: 'PACKAGE_UNREADABLE' });
    expectNothingLeft(run.directory);
  });

  it('has too many entries', async () => {
    const run = createRun(undefined, { limits: { entries: 4 } });
    expect(await open(run.folders, [{ name: 'one more', content: '' }])).toMatchObject({
      code: 'PACKAGE_LIMIT_EXCEEDED',
    });
    expectNothingLeft(run.directory);
  });

  it('is no zip, or ends in the middle', async () => {
    const run = createRun();
    const { bytes, url } = store(app);
    for (const broken of [Buffer.from('no zip'), bytes.subarray(0, bytes.length - 30), new Uint8Array()]) {
      writeFileSync(url, broken);
      const error = await rejection(run.folders.open({ url, sha256: hashOf(broken) }));
      expect(error).toMatchObject({ code: 'PACKAGE_UNREADABLE' });
      expectNothingLeft(run.directory);
    }
  });
});

describe('removeTree', () => {
  it('removes sealed folders, and does not mind when there is none', async () => {
    const { folders, directory } = createRun();
    const folder = await folders.open(store(app));
    chmodSync(folder, 0o555);
    await removeTree(folder);
    await removeTree(folder);
    expect(readdirSync(directory)).toEqual([]);
  });
});
