/** The way to the API of a cluster: the one in which this process runs, or that of a kubeconfig. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { messageOf, Secret, systemClock } from '@switchyard/kernel';
import { createHttpExchange, type HttpExchange, type KubernetesAccess } from '@switchyard/protocol/http-exchange';
import { toUrlHost } from '../http/listen.ts';
import { clusterErrors } from './errors.ts';
import { type ClusterAddress, type Held, readKubeconfig } from './read-kubeconfig.ts';

export interface OpenCluster extends KubernetesAccess {
  readonly exchange: HttpExchange;
}

export interface ClusterOptions {
  /** The path of a kubeconfig; the cluster in which this process runs when left out. */
  readonly kubeconfig: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What every pod gets of the cluster that it runs in. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

const timeoutMs = 30_000;

/** Reads what says how to reach it; nothing is asked yet. Rejects with the errors of the catalogue. */
export async function openCluster({ kubeconfig, environment }: ClusterOptions): Promise<OpenCluster> {
  const address =
    kubeconfig === undefined ? ownCluster(environment) : readKubeconfig(await readText(kubeconfig), kubeconfig);
  const { server, serverName, token } = address;
  const [ca, cert, key] = await Promise.all([address.authority, address.certificate, address.key].map(textOf));
  // A token that cannot be read is told now, not when the first worker is wanted.
  await textOf(token);
  return {
    server,
    token: async () => {
      const text = await textOf(token);
      return text === undefined ? undefined : new Secret(text.trim());
    },
    exchange: createHttpExchange(
      { clock: systemClock, request },
      {
        timeoutMs,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
        ...(serverName === undefined ? {} : { serverName }),
      },
    ),
  };
}

function ownCluster(environment: ClusterOptions['environment']): ClusterAddress {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === '') throw clusterErrors.create('CLUSTER_NOT_INSIDE');
  return {
    ...{ server: `https://${toUrlHost(host)}:${port}`, serverName: undefined, certificate: undefined, key: undefined },
    authority: { kind: 'file', path: join(accountFolder, 'ca.crt') },
    token: { kind: 'file', path: join(accountFolder, 'token') },
  };
}

async function textOf(held: Held | undefined): Promise<string | undefined> {
  if (held === undefined) return undefined;
  return held.kind === 'text' ? held.text : await readText(held.path);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw clusterErrors.create('CLUSTER_FILE_UNREADABLE', { path, reason: messageOf(thrown) }, thrown);
  }
}
