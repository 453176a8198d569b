/** The API of a cluster through the official client: its kubeconfig, its credentials and its calls, over a transport of ours. */
import {
  AppsV1Api,
  CoreV1Api,
  createConfiguration,
  PatchStrategy,
  ServerConfiguration,
  setHeaderOptions,
  type V1ListMeta,
  type V1Pod,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import type { ClusterApi, ClusterQuery, ClusterReply, ClusterResourceKind } from '@switchyard/protocol';
import type { ClusterAccess } from '../cluster-access.ts';
import type { CredentialSource } from '../credential-source.ts';
import { ClusterRefusedError, type ClusterTransportDeps, createClusterTransport } from './cluster-transport.ts';
import { createConnector } from './connector.ts';

export interface ClusterApiDeps extends Omit<ClusterTransportDeps, 'connector'> {
  readonly credential: CredentialSource | undefined;
}

export interface ClusterApiOptions extends Pick<ClusterAccess, 'server' | 'kubeconfig'> {
  readonly namespace: string;
  readonly timeoutMs: number;
}

/** What makes what: the cluster keeps it beside each field that it has set. */
const fieldManager = 'switchyard';

const asApply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

/** How the client names what a list is asked for. */
interface ListOptions {
  readonly labelSelector: string;
  readonly limit?: number;
  readonly _continue?: string;
}

interface RemoveOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
}

/** The calls of one kind of resource. */
interface Calls {
  get(name: string): Promise<object>;
  list(options: ListOptions): Promise<{ readonly metadata?: V1ListMeta; readonly items: readonly object[] }>;
  apply(name: string, body: object): Promise<object>;
  remove(name: string, options: RemoveOptions): Promise<object>;
}

export function createClusterApi(deps: ClusterApiDeps, options: ClusterApiOptions): ClusterApi {
  const { credential, ...rest } = deps;
  const { server, kubeconfig, namespace, timeoutMs } = options;
  const connector = createConnector(kubeconfig, credential);
  const transport = createClusterTransport({ ...rest, connector }, { timeoutMs });
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    httpApi: wrapHttpLibrary(transport),
  });
  const core = new CoreV1Api(configuration);
  const calls = createCalls(core, new AppsV1Api(configuration), namespace);
  return {
    server,
    createPod: (manifest) => replyTo(core.createNamespacedPod({ namespace, body: manifest as V1Pod })),
    get: (kind, name) => replyTo(calls[kind].get(name)),
    async list(kind, query) {
      const reply = await replyTo(calls[kind].list(toListOptions(query)));
      if (reply.kind === 'refused') return reply;
      const { items, metadata } = reply.value;
      const next = metadata?._continue ?? '';
      return { kind: 'done', value: { items, ...(next === '' ? {} : { next }) } };
    },
    apply: (kind, name, manifest) => replyTo(calls[kind].apply(name, manifest)),
    remove: (kind, name, graceSeconds) =>
      replyTo(
        calls[kind].remove(
          name,
          graceSeconds === undefined ? { propagationPolicy: 'Background' } : { gracePeriodSeconds: graceSeconds },
        ),
      ),
  };
}

function createCalls(
  core: CoreV1Api,
  apps: AppsV1Api,
  namespace: string,
): Readonly<Record<ClusterResourceKind, Calls>> {
  const of = (name: string) => ({ name, namespace });
  const applied = (name: string, body: object) => ({ ...of(name), body, fieldManager, force: true });
  return {
    pods: {
      get: (name) => core.readNamespacedPod(of(name)),
      list: (query) => core.listNamespacedPod({ namespace, ...query }),
      apply: (name, body) => core.patchNamespacedPod(applied(name, body), asApply),
      remove: (name, how) => core.deleteNamespacedPod({ ...of(name), ...how }),
    },
    services: {
      get: (name) => core.readNamespacedService(of(name)),
      list: (query) => core.listNamespacedService({ namespace, ...query }),
      apply: (name, body) => core.patchNamespacedService(applied(name, body), asApply),
      remove: (name, how) => core.deleteNamespacedService({ ...of(name), ...how }),
    },
    secrets: {
      get: (name) => core.readNamespacedSecret(of(name)),
      list: (query) => core.listNamespacedSecret({ namespace, ...query }),
      apply: (name, body) => core.patchNamespacedSecret(applied(name, body), asApply),
      remove: (name, how) => core.deleteNamespacedSecret({ ...of(name), ...how }),
    },
    deployments: {
      get: (name) => apps.readNamespacedDeployment(of(name)),
      list: (query) => apps.listNamespacedDeployment({ namespace, ...query }),
      apply: (name, body) => apps.patchNamespacedDeployment(applied(name, body), asApply),
      remove: (name, how) => apps.deleteNamespacedDeployment({ ...of(name), ...how }),
    },
  };
}

function toListOptions({ labels, pageSize, after }: ClusterQuery): ListOptions {
  return {
    labelSelector: Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    ...(pageSize === undefined ? {} : { limit: pageSize }),
    ...(after === undefined ? {} : { _continue: after }),
  };
}

async function replyTo<T>(call: Promise<T>): Promise<ClusterReply<T>> {
  try {
    return { kind: 'done', value: await call };
  } catch (thrown) {
    if (!(thrown instanceof ClusterRefusedError)) throw thrown;
    return { kind: 'refused', status: thrown.status, reason: thrown.message };
  }
}
