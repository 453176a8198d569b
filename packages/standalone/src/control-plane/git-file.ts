/**
 * Reads one file of a git repository at a commit, with the program `git`: from the repository itself where it lies on this
 * machine, else from a mirror of it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitFile } from '@switchyard/control-plane';
import { targetErrors } from './errors.ts';

export interface GitFilesOptions {
  /** Where mirrors of remote repositories are kept. */
  readonly directory: string;
  /** The environment of git: PATH, HOME and what credential helpers need. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How long one command of git may take, and how much it may say. */
const timeoutMs = 60_000;
const maxBytes = 8 * 1024 * 1024;

export function createGitFiles({ directory, environment }: GitFilesOptions) {
  const git = (folder: string, ...words: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { ...environment, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
      const options = { env, timeout: timeoutMs, maxBuffer: maxBytes, encoding: 'utf8' as const };
      execFile('git', ['--git-dir', folder, ...words], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(stderr.trim().split('\n').at(-1) || error.message));
      });
    });
  return async (of: { readonly repository: string; readonly ref: string; readonly path: string }): Promise<GitFile> => {
    try {
      const folder = await openRepository(git, directory, of.repository);
      const commit = (await git(folder, 'rev-parse', '--verify', '--end-of-options', `${of.ref}^{commit}`)).trim();
      return { commit, text: await git(folder, 'cat-file', 'blob', `${commit}:${of.path}`) };
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw targetErrors.create('GIT_UNUSABLE', { repository: withoutPassword(of.repository), reason }, thrown);
    }
  };
}

type Git = (folder: string, ...words: readonly string[]) => Promise<string>;

/** The repository's own folder, or a mirror of it that was brought up to date. */
async function openRepository(git: Git, directory: string, repository: string): Promise<string> {
  if (repository.startsWith('-')) throw new Error('a repository does not begin with a dash');
  if (existsSync(join(repository, 'HEAD'))) return repository;
  if (existsSync(join(repository, '.git'))) return join(repository, '.git');
  // Transports of git that run programs are not for manifests to choose.
  if (!/^(https?|ssh|git|file):\/\//.test(repository)) throw new Error('it is neither a repository here nor a URL');
  const mirror = join(directory, createHash('sha256').update(repository).digest('hex').slice(0, 32));
  if (!existsSync(mirror)) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await git(mirror, 'init', '--bare', '--quiet');
  }
  await git(
    mirror,
    'fetch',
    '--quiet',
    '--prune',
    '--force',
    repository,
    '+refs/*:refs/*',
    '+HEAD:HEAD_OF_ORIGIN',
  ).catch(
    // A repository whose HEAD cannot be had by name still has its branches.
    () => git(mirror, 'fetch', '--quiet', '--prune', '--force', repository, '+refs/*:refs/*'),
  );
  return mirror;
}

function withoutPassword(repository: string): string {
  return repository.replace(/\/\/[^/@]*@/, '//***@');
}
