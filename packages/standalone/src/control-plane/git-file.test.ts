import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitFiles } from './git-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'git-file-'));
const work = join(folder, 'work');
const bare = join(folder, 'bare.git');
const author = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
const environment = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', ...author };
const git = (...words: readonly string[]): string =>
  execFileSync('git', words, { cwd: work, env: environment, encoding: 'utf8' }).trim();

function commit(text: string): string {
  writeFileSync(join(work, 'switchyard.yaml'), text);
  git('add', '.');
  git('commit', '--quiet', '-m', 'change');
  return git('rev-parse', 'HEAD');
}

beforeAll(() => {
  mkdirSync(work);
  git('init', '--quiet', '--initial-branch', 'main');
  commit('version: 1');
  execFileSync('git', ['clone', '--quiet', '--bare', work, bare], { env: environment });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = createGitFiles({ directory: join(folder, 'mirrors'), environment });
const path = 'switchyard.yaml';

describe('createGitFiles', () => {
  it('reads a file of a repository here at a commit, not what lies in the folder', async () => {
    const first = git('rev-parse', 'HEAD');
    writeFileSync(join(work, 'switchyard.yaml'), 'not committed');
    expect(await read({ repository: work, ref: 'main', path })).toEqual({ commit: first, text: 'version: 1' });
    const second = commit('version: 2');
    expect(await read({ repository: work, ref: 'HEAD', path })).toEqual({ commit: second, text: 'version: 2' });
    expect(await read({ repository: work, ref: first, path })).toEqual({ commit: first, text: 'version: 1' });
  });

  it('reads a repository elsewhere through a mirror that follows it', async () => {
    const repository = pathToFileURL(bare).href;
    expect(await read({ repository, ref: 'main', path })).toMatchObject({ text: 'version: 1' });
    git('push', '--quiet', bare, 'main');
    expect(await read({ repository, ref: 'main', path })).toMatchObject({ text: 'version: 2' });
  });

  it.each([
    ['no such ref', { ref: 'nowhere' }],
    ['a ref that looks like a flag', { ref: '--all' }],
    ['no such file', { path: 'other.yaml' }],
    ['no such repository', { repository: '/nowhere/at/all' }],
    ['a transport that runs programs', { repository: 'ext::sh -c id' }],
    ['a repository that looks like a flag', { repository: '--upload-pack=id' }],
  ])('refuses %s', async (_, more) => {
    const failing = read({ repository: work, ref: 'main', path, ...more });
    await expect(failing).rejects.toMatchObject({ code: 'GIT_UNUSABLE' });
  });

  it('shows no password of a URL', async () => {
    const failing = read({ repository: 'file://user:hunter2@/nowhere', ref: 'main', path });
    await expect(failing).rejects.toSatisfy((error) => !String(error).split('hunter2')[0]?.includes('user:'));
  });
});
