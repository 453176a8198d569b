/**
 * What of a manifest only those may say who answer for the whole installation: it makes the platform run programs, read files
 * or act with connections of its own, or says how much a tenant may have. Pure.
 */
import type { Manifest, TenantBinding } from '@switchyard/protocol/control-api';
import { isSame } from '../domain/canonical.ts';

export interface OperatorPart {
  /** Where it stands in the manifest. */
  readonly path: string;
  readonly reason: string;
}

/** The first such part; undefined when a token of the tenant alone may apply the manifest. */
export function findOperatorPart(manifest: Manifest, binding: TenantBinding | undefined): OperatorPart | undefined {
  return findProgram(manifest) ?? findFile(manifest) ?? findConnection(manifest) ?? findQuota(manifest, binding);
}

function findProgram({ services }: Manifest): OperatorPart | undefined {
  for (const [at, { probes }] of services.entries()) {
    const index = probes.findIndex(({ kind }) => kind === 'exec');
    if (index < 0) continue;
    return { path: `services.${at}.probes.${index}`, reason: 'an exec probe runs a program as the platform' };
  }
  return undefined;
}

function findFile({ environment: { desiredState } }: Manifest): OperatorPart | undefined {
  const path = 'environment.desiredState';
  if (desiredState.kind === 'pulumi') return { path, reason: 'it names a file of the machine' };
  const isLocal = desiredState.kind === 'git' && !/^(https?|ssh|git):\/\//.test(desiredState.repository);
  return isLocal ? { path, reason: 'it names a folder of the machine' } : undefined;
}

function findConnection({ secrets }: Manifest): OperatorPart | undefined {
  const index = secrets.findIndex(({ kind }) => kind === 'postgresql-user');
  if (index < 0) return undefined;
  return { path: `secrets.${index}.kind`, reason: 'its users are made with a connection of the installation' };
}

/** What a tenant has that nobody has said anything about: the defaults of manifests. */
const defaultQuota: TenantBinding['quota'] = { maxServices: 1_000, maxReplicas: 10_000 };

function findQuota({ environment }: Manifest, binding: TenantBinding | undefined): OperatorPart | undefined {
  const quota = binding?.quota ?? defaultQuota;
  if (isSame(quota, environment.quota)) return undefined;
  const { maxServices, maxReplicas } = quota;
  const has = `maxServices ${maxServices} and maxReplicas ${maxReplicas}`;
  return { path: 'environment.quota', reason: `the environment has ${has}, and no other quota is its own to say` };
}
