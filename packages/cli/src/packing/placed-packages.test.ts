import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IgnoreRules } from './ignore-rules.ts';
import { placePackages } from './placed-packages.ts';

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'switchyard-hoisted-'));
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

const all: IgnoreRules = { leavesOut: () => false };

async function write(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(join(workspace, path)), { recursive: true });
  await symlink(join(workspace, target), join(workspace, path), 'junction');
}

const needs = (...names: string[]): { dependencies: Record<string, string> } => ({
  dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
});

async function list(rules: IgnoreRules = all): Promise<Record<string, string>> {
  const { files } = await placePackages(join(workspace, 'apps/shop'), rules);
  const sources = files.map(({ path, source }) => [path, source.slice(workspace.length + 1)] as const);
  return Object.fromEntries(sources.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

describe('placePackages', () => {
  it('finds what the app needs, and what that needs, above the folder', async () => {
    await write({
      'apps/shop/package.json': { ...needs('@scope/a'), devDependencies: { tool: '*' } },
      'node_modules/@scope/a/package.json': needs('b'),
      'node_modules/@scope/a/lib/a.js': '',
      'node_modules/b/package.json': {},
      'node_modules/tool/package.json': {},
      'node_modules/unused/package.json': {},
    });
    expect(Object.keys(await list())).toEqual([
      'node_modules/@scope/a/lib/a.js',
      'node_modules/@scope/a/package.json',
      'node_modules/b/package.json',
    ]);
  });

  it('reads a package.json with a byte order mark', async () => {
    await write({
      'apps/shop/package.json': `\uFEFF${JSON.stringify(needs('a'))}`,
      'node_modules/a/package.json': {},
    });
    expect(Object.keys(await list())).toEqual(['node_modules/a/package.json']);
  });

  it('keeps two versions of a package apart', async () => {
    await write({
      'apps/shop/package.json': needs('a', 'b'),
      'node_modules/a/package.json': needs('b'),
      'node_modules/a/node_modules/b/package.json': { version: '1' },
      'node_modules/b/package.json': { version: '2' },
    });
    expect(await list()).toEqual({
      'node_modules/a/package.json': 'node_modules/a/package.json',
      'node_modules/b/package.json': 'node_modules/b/package.json',
      'node_modules/a/node_modules/b/package.json': 'node_modules/a/node_modules/b/package.json',
    });
  });

  it('leaves to the app what it has itself, and what nobody has installed', async () => {
    await write({
      'apps/shop/package.json': needs('a', 'missing'),
      'apps/shop/node_modules/a/package.json': {},
      'node_modules/a/package.json': {},
    });
    expect(await list()).toEqual({});
  });

  it('comes to an end with packages that need each other, and follows links of a workspace', async () => {
    await write({
      'apps/shop/package.json': needs('a'),
      'node_modules/a/package.json': needs('shared'),
      'packages/shared/package.json': needs('a'),
      'packages/shared/index.js': '',
    });
    await link('packages/shared', 'node_modules/shared');
    expect(await list()).toEqual({
      'node_modules/a/package.json': 'node_modules/a/package.json',
      'node_modules/shared/index.js': 'packages/shared/index.js',
      'node_modules/shared/package.json': 'packages/shared/package.json',
    });
  });

  it('finds above the folder what a package in it needs', async () => {
    await write({
      'apps/shop/package.json': needs('a'),
      'apps/shop/node_modules/a/package.json': needs('b', 'c'),
      'apps/shop/node_modules/c/package.json': needs('a'),
      'node_modules/b/package.json': { version: '2' },
      'node_modules/c/package.json': {},
    });
    expect(Object.keys(await list())).toEqual(['node_modules/b/package.json']);
  });

  it('places packages that are linked to one another, with what stands beside them', async () => {
    const store = 'apps/shop/node_modules/.pnpm';
    await write({
      'apps/shop/package.json': { ...needs('a', '@scope/b'), devDependencies: { tool: '*' } },
      [`${store}/a@1/node_modules/a/package.json`]: { ...needs('@scope/b'), peerDependencies: { peer: '*' } },
      [`${store}/a@1/node_modules/.generated/client.js`]: '',
      [`${store}/b@1/node_modules/@scope/b/package.json`]: { version: '1' },
      [`${store}/b@2/node_modules/@scope/b/package.json`]: { version: '2' },
      [`${store}/peer@1/node_modules/peer/package.json`]: {},
      [`${store}/tool@1/node_modules/tool/package.json`]: {},
      'apps/shop/node_modules/plain/index.js': '',
    });
    await link(`${store}/a@1/node_modules/a`, 'apps/shop/node_modules/a');
    await link(`${store}/tool@1/node_modules/tool`, 'apps/shop/node_modules/tool');
    await link(`${store}/b@2/node_modules/@scope/b`, 'apps/shop/node_modules/@scope/b');
    await link(`${store}/b@1/node_modules/@scope/b`, `${store}/a@1/node_modules/@scope/b`);
    await link(`${store}/peer@1/node_modules/peer`, `${store}/a@1/node_modules/peer`);
    expect(await list()).toEqual({
      'node_modules/.generated/client.js': `${store}/a@1/node_modules/.generated/client.js`,
      'node_modules/.generated/node_modules/@scope/b/package.json': `${store}/b@1/node_modules/@scope/b/package.json`,
      'node_modules/@scope/b/package.json': `${store}/b@2/node_modules/@scope/b/package.json`,
      'node_modules/a/node_modules/@scope/b/package.json': `${store}/b@1/node_modules/@scope/b/package.json`,
      'node_modules/a/package.json': `${store}/a@1/node_modules/a/package.json`,
      'node_modules/peer/package.json': `${store}/peer@1/node_modules/peer/package.json`,
    });
    const { replaced } = await placePackages(join(workspace, 'apps/shop'), all);
    expect([...replaced].sort()).toEqual(['.pnpm', '@scope/b', 'a', 'tool'].map((name) => `node_modules/${name}`));
  });

  it('places what links lead to out of the folder', async () => {
    await write({
      'apps/shop/package.json': needs('a', 'shared'),
      'node_modules/.pnpm/a@1/node_modules/a/package.json': {},
      'packages/shared/package.json': needs('a'),
    });
    await link('node_modules/.pnpm/a@1/node_modules/a', 'apps/shop/node_modules/a');
    await link('node_modules/.pnpm/a@1/node_modules/a', 'packages/shared/node_modules/a');
    await link('packages/shared', 'apps/shop/node_modules/shared');
    expect(Object.keys(await list())).toEqual(['node_modules/a/package.json', 'node_modules/shared/package.json']);
  });

  it('leaves out what developers of a package in the workspace need, and takes what an installed one has below it', async () => {
    await write({
      'apps/shop/package.json': needs('shared', 'bundler'),
      'packages/shared/package.json': { devDependencies: { tool: '*' } },
      'packages/shared/node_modules/tool/package.json': {},
      'node_modules/bundler/package.json': {},
      'node_modules/bundler/node_modules/bundled/index.js': '',
    });
    await link('packages/shared', 'apps/shop/node_modules/shared');
    expect(Object.keys(await list())).toEqual([
      'node_modules/bundled/index.js',
      'node_modules/bundler/package.json',
      'node_modules/shared/package.json',
    ]);
  });

  it('packs nothing that .funcignore leaves out', async () => {
    await write({
      'apps/shop/package.json': needs('a'),
      'node_modules/a/package.json': {},
      'node_modules/a/readme.md': '',
    });
    const leavesOut = (path: string): boolean => path.endsWith('.md');
    expect(Object.keys(await list({ leavesOut }))).toEqual(['node_modules/a/package.json']);
    expect(await list({ leavesOut: (path) => path === 'node_modules' })).toEqual({});
  });

  it('takes no name for a path', async () => {
    await write({ 'apps/shop/package.json': needs('../..', '@a/..', 'x/../../secrets'), 'secrets/key': 'x' });
    expect(await list()).toEqual({});
  });
});
