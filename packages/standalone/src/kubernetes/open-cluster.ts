/** The way to the API of a cluster: the one in which this process runs, that of a kubeconfig, or one by its address. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { messageOf, type Secret, systemClock } from '@switchyard/kernel';
import type { ClusterApi } from '@switchyard/protocol';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { toUrlHost } from '../http/listen.ts';
import { type ClusterAccess, toClusterAccess } from './cluster-access.ts';
import { createCredentialSource } from './credential-source.ts';
import { clusterErrors } from './errors.ts';
import { readKubeconfig } from './read-kubeconfig.ts';
import { createRunProgram } from './run-program.ts';

export type ClusterPlace =
  | { readonly kind: 'kubeconfig'; readonly path: string }
  | {
      readonly kind: 'server';
      /** `https://host:port`; the cluster in which this process runs when left out. */
      readonly server?: string;
      /** Beyond the own cluster, the authorities of the system when left out. */
      readonly authorityFile?: string;
      /** In the own cluster, the account of this pod when left out. */
      readonly credential?: { readonly token: Secret } | { readonly tokenFile: string };
    };

type Environment = Readonly<Record<string, string | undefined>>;

export interface ClusterOptions {
  readonly place: ClusterPlace;
  readonly namespace: string;
  readonly environment: Environment;
  /** For a call with all its tries. */
  readonly timeoutMs?: number;
}

/** What every pod gets of the cluster that it runs in. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

const defaultTimeoutMs = 30_000;

/** Reads what says how to reach it; nothing is asked yet. Rejects with the errors of the catalogue. */
export async function openCluster(options: ClusterOptions): Promise<ClusterApi> {
  const { place, namespace, environment, timeoutMs = defaultTimeoutMs } = options;
  const access = await accessTo(place, environment);
  // What cannot be read is told now, not when the first worker is wanted.
  await Promise.all(access.files.map(readText));
  // The official client is large: whoever has no cluster never loads it.
  const { createClusterApi } = await import('./official-client/create-cluster-api.ts');
  const exchange = createHttpExchange({ clock: systemClock, request }, { timeoutMs });
  const deps = { clock: systemClock, exchange, run: createRunProgram(environment), readText };
  const credential = access.credential === undefined ? undefined : createCredentialSource(deps, access.credential);
  return createClusterApi({ clock: systemClock, exchange, credential }, { ...access, namespace, timeoutMs });
}

async function accessTo(place: ClusterPlace, environment: Environment): Promise<ClusterAccess> {
  if (place.kind === 'kubeconfig') return readKubeconfig(await readText(place.path), place.path);
  const own = place.server === undefined;
  const credential = place.credential ?? { tokenFile: join(accountFolder, 'token') };
  const authority = place.authorityFile ?? (own ? join(accountFolder, 'ca.crt') : undefined);
  return toClusterAccess({
    cluster: {
      server: place.server ?? ownServer(environment),
      ...(authority === undefined ? {} : { 'certificate-authority': authority }),
    },
    user: 'token' in credential ? { token: credential.token.reveal() } : {},
    credential: 'token' in credential ? undefined : { kind: 'token-file', path: credential.tokenFile },
  });
}

function ownServer({ KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' }: Environment): string {
  if (host === '') throw clusterErrors.create('CLUSTER_NOT_INSIDE');
  return `https://${toUrlHost(host)}:${port}`;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw clusterErrors.create('CLUSTER_FILE_UNREADABLE', { path, reason: messageOf(thrown) }, thrown);
  }
}
