import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listHoistedPackages } from './hoisted-packages.ts';
import type { IgnoreRules } from './ignore-rules.ts';

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

const needs = (...names: string[]): { dependencies: Record<string, string> } => ({
  dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
});

async function list(rules: IgnoreRules = all): Promise<Record<string, string>> {
  const files = await listHoistedPackages(join(workspace, 'apps/shop'), rules);
  return Object.fromEntries(files.map(({ path, source }) => [path, source.slice(workspace.length + 1)]));
}

describe('listHoistedPackages', () => {
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
    await symlink(join(workspace, 'packages/shared'), join(workspace, 'node_modules/shared'), 'junction');
    expect(await list()).toEqual({
      'node_modules/a/package.json': 'node_modules/a/package.json',
      'node_modules/shared/index.js': 'packages/shared/index.js',
      'node_modules/shared/package.json': 'packages/shared/package.json',
    });
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
