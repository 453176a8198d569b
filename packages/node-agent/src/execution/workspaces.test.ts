import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWorkspaces } from './workspaces.ts';

describe('openWorkspaces', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-workspaces-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('makes a folder per job that anybody in the container may write, with the payload in it', async () => {
    const workspaces = await openWorkspaces(join(folder, 'new'));
    const path = await workspaces.create('../../escape/me', '{"a":1}');
    expect(path.startsWith(join(folder, 'new', 'job-'))).toBe(true);
    expect(readFileSync(join(path, 'payload.json'), 'utf8')).toBe('{"a":1}');
    expect(statSync(path).mode & 0o777).toBe(0o777);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(workspaces.pathOf('../../escape/me')).toBe(path);
    await workspaces.remove('../../escape/me');
    await workspaces.remove('../../escape/me');
    expect(existsSync(path)).toBe(false);
  });

  it('starts afresh where an earlier try left something', async () => {
    const workspaces = await openWorkspaces(folder);
    const path = await workspaces.create('a', 'one');
    writeFileSync(join(path, 'left'), '');
    expect(await workspaces.create('a', 'two')).toBe(path);
    expect(readdirSync(path)).toEqual(['payload.json']);
  });

  it('names folders as the engine sees them, where the agent runs in a container itself', async () => {
    const workspaces = await openWorkspaces(folder, 'host-folder');
    const path = await workspaces.create('a', 'x');
    expect(path).toMatch(/^host-folder.job-[0-9a-f]{32}$/);
    expect(readdirSync(folder)).toEqual([path.slice('host-folder/'.length)]);
  });

  it('sweeps folders of jobs that are gone, and nothing that is not its own', async () => {
    const workspaces = await openWorkspaces(folder);
    const kept = await workspaces.create('kept', 'x');
    const gone = await workspaces.create('gone', 'x');
    mkdirSync(join(folder, 'somebody-elses'));
    await workspaces.sweep(() => ['kept']);
    expect([kept, gone, join(folder, 'somebody-elses')].map(existsSync)).toEqual([true, false, true]);
  });

  it('asks anew for every folder, so that a job that has just begun keeps its own', async () => {
    const workspaces = await openWorkspaces(folder);
    for (const id of ['a', 'b', 'c']) await workspaces.create(id, 'x');
    let asked = 0;
    await workspaces.sweep(() => {
      asked += 1;
      return asked === 1 ? [] : ['a', 'b', 'c'];
    });
    expect(readdirSync(folder).length).toBe(2);
  });

  it('says so when there can be no folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(openWorkspaces(join(folder, 'file', 'x'))).rejects.toThrow('workspace.path');
    const workspaces = await openWorkspaces(join(folder, 'soon-gone'));
    rmSync(join(folder, 'soon-gone'), { recursive: true });
    await expect(workspaces.create('a', 'x')).rejects.toThrow('no workspace can be made');
  });
});
