import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readZip } from '../testing/read-zip.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { packFolder } from './pack-folder.ts';

let folder: TestFolder;
let app: string;
beforeEach(async () => {
  folder = await openTestFolder();
  app = join(folder.path, 'app');
  await folder.write({ 'app/host.json': { version: '2.0' } });
});
afterEach(() => folder.remove());

let packages = 0;
async function pack(directory = app) {
  packages += 1;
  const target = join(folder.path, `package-${packages}.zip`);
  const packed = await packFolder(directory, target);
  const archive = await readFile(target);
  return { ...packed, archive, entries: readZip(archive) };
}

const pathsOf = async () => (await pack()).entries.map(({ path }) => path);

/** Contents by path; no path is the folder of another one. */
const trees = fc
  .dictionary(
    fc
      .array(fc.stringMatching(/^[a-zA-Z0-9 _.#!äλ-]{1,6}$/u), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.map((part) => `f${part}`).join('/')),
    fc.record({ bytes: fc.uint8Array({ maxLength: 2_000 }), isExecutable: fc.boolean() }),
    { maxKeys: 12 },
  )
  .map((tree) => {
    const paths = Object.keys(tree);
    return new Map(
      Object.entries(tree).filter(([path]) => !paths.some((other) => other !== path && other.startsWith(`${path}/`))),
    );
  });

type Tree = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly isExecutable: boolean }>;

async function writeTree(tree: Tree, order: (paths: string[]) => string[]): Promise<string> {
  const directory = await mkdtemp(join(folder.path, 'tree-'));
  for (const path of order(['host.json', ...tree.keys()])) {
    const file = tree.get(path) ?? { bytes: Buffer.from('{}'), isExecutable: false };
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), file.bytes);
    await chmod(join(directory, path), file.isExecutable ? 0o755 : 0o600);
  }
  return directory;
}

describe('packFolder', () => {
  it('gives the same bytes for the same folder, and the same files back', async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const first = await pack(await writeTree(tree, (paths) => paths));
        const second = await pack(await writeTree(tree, (paths) => paths.toReversed()));
        expect(second.sha256).toBe(first.sha256);
        expect(first.sha256).toBe(createHash('sha256').update(first.archive).digest('hex'));
        expect(first.sizeBytes).toBe(first.archive.length);
        expect(first.fileCount).toBe(tree.size + 1);
        const found = new Map(
          first.entries.map(({ path, bytes, mode }) => [path, { hex: bytes.toString('hex'), mode }]),
        );
        const wanted = [...tree].map(([path, { bytes, isExecutable }]) => [
          path,
          { hex: Buffer.from(bytes).toString('hex'), mode: isExecutable ? 0o100755 : 0o100644 },
        ]);
        found.delete('host.json');
        expect(found).toEqual(new Map(wanted as [string, { hex: string; mode: number }][]));
      }),
      { numRuns: 40 },
    );
  });

  it('orders files by their names and gives all the same time', async () => {
    await folder.write({ 'app/b.js': '', 'app/B.js': '', 'app/a/z.js': '', 'app/a.js': '' });
    const { entries } = await pack();
    expect(entries.map(({ path }) => path)).toEqual(['B.js', 'a.js', 'a/z.js', 'b.js', 'host.json']);
    // 1 January 1980, noon.
    for (const { dosTime } of entries) expect(dosTime).toEqual([0x0021, 0x6000]);
  });

  it('leaves out what .funcignore says, and what is never packed', async () => {
    await folder.write({
      'app/.funcignore': '*.md\n/test/\n!test/keep.js\n!local.settings.json\n',
      'app/local.settings.json': { Values: { Password: 'secret' } },
      'app/README.md': '',
      'app/test/keep.js': '',
      'app/.git/config': '',
      'app/.switchyard/keys.json': '',
      'app/node_modules/.cache/x': '',
      'app/node_modules/a/index.js': '',
      'app/src/a.ts': '',
    });
    expect(await pathsOf()).toEqual(['.funcignore', 'host.json', 'node_modules/a/index.js', 'src/a.ts']);
  });

  it('follows links within the folder', async () => {
    await folder.write({ 'app/shared/a.js': 'a', 'app/main.js': 'm' });
    await symlink('shared', join(app, 'linked'));
    await symlink('../main.js', join(app, 'shared/again.js'));
    expect(await pathsOf()).toEqual([
      'host.json',
      'linked/a.js',
      'linked/again.js',
      'main.js',
      'shared/a.js',
      'shared/again.js',
    ]);
  });

  it('leaves out commands of packages that are not there, or stand elsewhere', async () => {
    await folder.write({ 'app/node_modules/.bin/shim': '', 'app/node_modules/tool/cli.js': '', 'elsewhere/a.js': '' });
    await symlink('../gone/cli.js', join(app, 'node_modules/.bin/gone'));
    await symlink('../../../elsewhere/a.js', join(app, 'node_modules/.bin/other'));
    await symlink('../tool/cli.js', join(app, 'node_modules/.bin/tool'));
    const commands = (await pathsOf()).filter((path) => path.includes('.bin'));
    expect(commands).toEqual(['node_modules/.bin/shim', 'node_modules/.bin/tool']);
  });

  it('packs an app whose own folder is a link', async () => {
    await symlink('app', join(folder.path, 'alias'));
    expect((await pack(join(folder.path, 'alias'))).sha256).toBe((await pack()).sha256);
  });

  it('leaves the signal the last word', async () => {
    await expect(packFolder(app, join(folder.path, 'x.zip'), AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});

describe('packFolder refuses', () => {
  it('a link that leads out, and passes over one that is left out', async () => {
    await folder.write({ 'elsewhere/a.js': '' });
    await symlink('../elsewhere', join(app, 'outside'));
    await expect(pack()).rejects.toThrow(
      `'${join(app, 'outside')}' is a link that leads out of the app's folder, to '${join(folder.path, 'elsewhere')}'`,
    );
    await folder.write({ 'app/.funcignore': 'outside/\n' });
    expect(await pathsOf()).toEqual(['.funcignore', 'host.json']);
  });

  it('a link to a folder whose name only begins like the app', async () => {
    await folder.write({ 'app-secrets/a.js': '' });
    await symlink('../app-secrets/a.js', join(app, 'a.js'));
    await expect(pack()).rejects.toMatchObject({ code: 'PACK_LINK_OUTSIDE' });
  });

  it('links that lead nowhere or round in circles', async () => {
    await symlink('nothing', join(app, 'broken'));
    await expect(pack()).rejects.toThrow(`'${join(app, 'broken')}' is a link to 'nothing', which is not there.`);
    await rm(join(app, 'broken'));
    await symlink('self', join(app, 'self'));
    await expect(pack()).rejects.toMatchObject({ code: 'PACK_LINK_BROKEN' });
    await rm(join(app, 'self'));
    await folder.write({ 'app/a/x.js': '' });
    await symlink('..', join(app, 'a/up'));
    await expect(pack()).rejects.toMatchObject({ code: 'PACK_LINK_ENDLESS' });
    await rm(join(app, 'a/up'));
    // Two folders that lead into one another.
    await folder.write({ 'app/b/y.js': '' });
    await symlink('../b', join(app, 'a/b'));
    await symlink('../a', join(app, 'b/a'));
    await expect(pack()).rejects.toMatchObject({ code: 'PACK_LINK_ENDLESS' });
  });

  it('what is neither file nor folder', async () => {
    const path = join(app, 'socket');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(pack()).rejects.toThrow(`'${path}' is neither a file nor a folder`);
    await new Promise((resolve) => server.close(resolve));
  });

  it('names that archives cannot hold', async () => {
    await folder.write({ 'app/a\\b.js': '' });
    await expect(pack()).rejects.toThrow('its name holds a backslash');
    await rm(join(app, 'a\\b.js'));
    await folder.write({ 'app/c:d.js': '' });
    await expect(pack()).rejects.toThrow('its name begins like a drive of Windows');
  });

  it('a folder that is none', async () => {
    await expect(pack(join(folder.path, 'nowhere'))).rejects.toThrow('there is nothing of that name');
    await expect(pack(join(app, 'host.json'))).rejects.toThrow("host.json' is no folder: it is a file");
  });

  it('a folder without host.json, with a wrong one, or one that is left out', async () => {
    await folder.write({ 'app/.funcignore': 'host.json\n' });
    await expect(pack()).rejects.toThrow(`'${join(app, '.funcignore')}' leaves host.json out of the package`);
    await folder.write({ 'app/.funcignore': '', 'app/host.json': '{"version": ' });
    await expect(pack()).rejects.toThrow(join(app, 'host.json'));
    await rm(join(app, 'host.json'));
    await expect(pack()).rejects.toThrow(`'${app}' holds no host.json`);
  });

  it('to overwrite a file', async () => {
    const target = join(folder.path, 'mine.zip');
    await folder.write({ 'mine.zip': 'mine' });
    await expect(packFolder(app, target)).rejects.toMatchObject({ code: 'PACK_TARGET_UNWRITABLE' });
    expect(await folder.read('mine.zip')).toBe('mine');
  });
});

describe('packFolder and TypeScript', () => {
  const manifest = (scripts: object) => ({ name: 'x', main: './dist/src/functions/*.js', scripts });

  it('says what to run when there is no build', async () => {
    await folder.write({ 'app/tsconfig.json': {}, 'app/package.json': manifest({ build: 'tsc' }), 'app/src/a.ts': '' });
    await expect(pack()).rejects.toThrow(
      'matches "main": "./dist/src/functions/*.js" of its package.json. Run \'npm run build\' there, or deploy with --build',
    );
    await folder.write({ 'app/package.json': manifest({}) });
    await expect(pack()).rejects.toThrow("Run 'npx tsc' there.");
    await folder.write({ 'app/dist/src/functions/a.js': '' });
    expect(await pathsOf()).toContain('dist/src/functions/a.js');
  });

  it('says when .funcignore leaves the build out', async () => {
    await folder.write({
      'app/tsconfig.json': {},
      'app/package.json': manifest({ build: 'tsc' }),
      'app/dist/src/functions/a.js': '',
      'app/.funcignore': 'dist\n',
    });
    await expect(pack()).rejects.toThrow("Such files are there, and '.funcignore' leaves them out");
  });

  it.each([
    ['lib/index', 'lib/index.js'],
    ['lib', 'lib/index.js'],
    ['lib/{a,b}.mjs', 'lib/b.mjs'],
  ])('finds main %j in %s', async (main, path) => {
    await folder.write({ 'app/tsconfig.json': {}, 'app/package.json': { main }, [`app/${path}`]: '' });
    expect(await pathsOf()).toContain(path);
  });

  it('does not judge apps of function.json files, of other languages, or with a broken package.json', async () => {
    await folder.write({ 'app/package.json': { main: 'index.js' } });
    expect(await pathsOf()).toContain('package.json');
    await folder.write({ 'app/tsconfig.json': {}, 'app/hello/function.json': {} });
    expect(await pathsOf()).toContain('tsconfig.json');
    await rm(join(app, 'hello'), { recursive: true });
    await folder.write({ 'app/package.json': '{' });
    expect(await pathsOf()).toContain('tsconfig.json');
  });
});
