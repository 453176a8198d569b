/** Reads the desired state from wherever the environment has it. */
import { messageOf } from '@switchyard/kernel';
import type { Environment } from '@switchyard/protocol/control-api';
import { hashOf } from '../../domain/canonical.ts';
import { environmentIdOf } from '../../domain/manifest-records.ts';
import { workerErrors } from '../../frame/errors.ts';
import { type DesiredState, type DesiredStateReader, readAppliedState } from './desired-state.ts';
import { servicesOfManifest } from './manifest-state.ts';
import { parseManifest } from './parse-manifest.ts';
import { readPulumiState } from './pulumi-state.ts';

/** A file of a repository at a commit. */
export interface GitFile {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly text: string;
}

export interface DesiredSources {
  /** Rejects with the reason when the repository, the ref or the file is not there. */
  readGitFile(of: { readonly repository: string; readonly ref: string; readonly path: string }): Promise<GitFile>;
  readFile(file: string): Promise<string>;
}

export function createDesiredStateReader(sources: DesiredSources): DesiredStateReader {
  return async (environment, view) => {
    const { desiredState: source } = environment;
    switch (source.kind) {
      case 'applied':
        return readAppliedState(environment, view);
      case 'git':
        return readGit(sources, environment, source);
      case 'pulumi':
        return readPulumi(sources, environment, source.file);
    }
  };
}

async function readGit(
  sources: DesiredSources,
  environment: Environment,
  source: Extract<Environment['desiredState'], { kind: 'git' }>,
): Promise<DesiredState> {
  const where = `${source.repository}:${source.path}`;
  const file = await sources.readGitFile(source).catch((thrown) => unreadable(environment, where, messageOf(thrown)));
  const reading = parseManifest(file.text);
  if (reading.kind === 'invalid') return unreadable(environment, where, `${reading.reason} at '${reading.path}'`);
  const { manifest } = reading;
  const isOwn = manifest.tenant === environment.tenantId && environmentIdOf(manifest) === environment.environmentId;
  if (!isOwn) return unreadable(environment, where, 'it is the manifest of another environment');
  return { revision: file.commit, services: servicesOfManifest(manifest) };
}

async function readPulumi(sources: DesiredSources, environment: Environment, file: string): Promise<DesiredState> {
  const text = await sources.readFile(file).catch((thrown) => unreadable(environment, file, messageOf(thrown)));
  const reading = readPulumiState(text);
  if (reading.kind === 'invalid') return unreadable(environment, file, reading.reason);
  return { revision: `pulumi:${hashOf(text).slice(0, 16)}`, services: reading.services };
}

function unreadable({ environmentId }: Environment, where: string, reason: string): never {
  throw workerErrors.create('DESIRED_STATE_UNREADABLE', { environmentId, where, reason });
}
