import { lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseManifest } from '@switchyard/capability-broker';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { openBrokerPlaces } from './broker-places.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const manifestOf = (kind: 'thread' | 'in-process', version = '1.2.3') =>
  parseManifest({ name: 'a.b', version, tier: 2, kind, entry: '/x.cjs' });

it('has the same place after a restart, emptied of what a killed broker left', async () => {
  const state = join(folder.path, 'state');
  const first = await openBrokerPlaces(state);
  await writeFile(first.socketPath, 'left behind');
  const second = await openBrokerPlaces(state);
  expect(second.socketPath).toBe(first.socketPath);
  const sockets = dirname(second.socketPath);
  expect([await readdir(sockets), ((await lstat(sockets)).mode & 0o777).toString(8)]).toEqual([[], '711']);
  expect(second.socketPath.length).toBeLessThan(100);
  const other = await openBrokerPlaces(join(folder.path, 'other'));
  expect(other.socketPath).not.toBe(first.socketPath);
  await Promise.all([second.remove(), other.remove()]);
});

it('uses nothing that somebody else put there', async () => {
  const state = join(folder.path, 'state');
  const places = await openBrokerPlaces(state);
  await places.remove();
  await mkdir(join(folder.path, 'target'));
  await symlink(join(folder.path, 'target'), dirname(places.socketPath));
  await expect(openBrokerPlaces(state)).rejects.toMatchObject({ code: 'SOCKET_FOLDER_TAKEN' });
  await rm(dirname(places.socketPath));
});

it('gives every instance a route of its own, and every shard a state that patches share', async () => {
  const places = await openBrokerPlaces(join(folder.path, 'state'));
  const paths = (version: string, shard: string) => places.pathsOf(manifestOf('thread', version), 'i', shard);
  const [one, again, patched, major, other] = [
    paths('1.2.3', 'a.b:shard-0'),
    paths('1.2.3', 'a.b:shard-0'),
    paths('1.9.0', 'a.b:shard-0'),
    paths('2.0.0', 'a.b:shard-0'),
    paths('1.2.3', 'a.b:shard-1'),
  ];
  expect(new Set([one, again, patched, major, other].map(({ directPath }) => directPath)).size).toBe(5);
  expect(new Set([one, again, patched].map(({ statePath }) => statePath)).size).toBe(1);
  expect(new Set([one, major, other].map(({ statePath }) => statePath)).size).toBe(3);
  expect(places.pathsOf(manifestOf('in-process'), 'i', 'a.b:shard-0').directPath).toBeUndefined();
  await places.remove();
});
