/** The resources of a namespace that services are made of, over the API of Kubernetes. */
import { messageOf } from '@switchyard/kernel';
import {
  type AskKubernetes,
  type HttpReply,
  type KubernetesAsk,
  kubernetesReasonOf,
} from '@switchyard/protocol/http-exchange';
import { z } from 'zod';
import { computeErrors } from '../errors.ts';

/** Resources by the names that paths have. */
const roots = {
  deployments: '/apis/apps/v1',
  services: '/api/v1',
  secrets: '/api/v1',
  pods: '/api/v1',
} as const;

export type ResourceKind = keyof typeof roots;

const texts = z.record(z.string(), z.string()).default({});

const metadataSchema = z.object({
  name: z.string(),
  labels: texts,
  annotations: texts,
  resourceVersion: z.string().default(''),
  generation: z.number().default(0),
});

/** What is read of any resource; of its content each reader takes what it needs. */
const resourceSchema = z.object({
  metadata: metadataSchema,
  spec: z.unknown().optional(),
  status: z.unknown().optional(),
  data: texts,
});

export type ClusterResource = z.infer<typeof resourceSchema>;

const listSchema = z.object({
  metadata: z.object({ continue: z.string().default('') }).prefault({}),
  items: z.array(resourceSchema),
});

export interface ResourcePage {
  readonly items: readonly ClusterResource[];
  readonly next?: string;
}

/** All methods reject with TARGET_UNREACHABLE or TARGET_REFUSED. */
export interface ClusterClient {
  get(kind: ResourceKind, name: string): Promise<ClusterResource | undefined>;
  list(kind: ResourceKind, labels: Readonly<Record<string, string>>, after?: string): Promise<ResourcePage>;
  /** Makes it so, whether it is there or not (server-side apply); what is so already is not changed. */
  apply(kind: ResourceKind, manifest: { readonly metadata: { readonly name: string } }): Promise<ClusterResource>;
  /** Harmless when there is none; what belongs to it goes with it. */
  remove(kind: ResourceKind, name: string): Promise<void>;
}

const pageSize = 500;

export function createClusterClient(
  askKubernetes: AskKubernetes,
  options: { readonly computeTarget: string; readonly namespace: string; readonly server: string },
): ClusterClient {
  const { computeTarget, namespace, server } = options;
  const ask = async (what: string, of: KubernetesAsk): Promise<HttpReply> => {
    const reply = await askKubernetes(of).catch((thrown: unknown) => {
      const reason = messageOf(thrown);
      throw computeErrors.create('TARGET_UNREACHABLE', { computeTarget, address: server, reason }, thrown);
    });
    if (reply.status < 300 || reply.status === 404) return reply;
    return refuse(what, reply);
  };
  const refuse = (what: string, reply: HttpReply): never => {
    const { status } = reply;
    throw computeErrors.create('TARGET_REFUSED', { computeTarget, what, status, reason: kubernetesReasonOf(reply) });
  };
  const pathOf = (kind: ResourceKind, name = ''): string =>
    `${roots[kind]}/namespaces/${encodeURIComponent(namespace)}/${kind}${name === '' ? '' : `/${encodeURIComponent(name)}`}`;
  return {
    async get(kind, name) {
      const reply = await ask(`tell of ${kind} ${name}`, { method: 'GET', path: pathOf(kind, name) });
      return reply.status === 404 ? undefined : resourceSchema.parse(JSON.parse(reply.text));
    },
    async list(kind, labels, after) {
      const labelSelector = Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(',');
      const query = new URLSearchParams({ labelSelector, limit: String(pageSize) });
      if (after !== undefined) query.set('continue', after);
      const reply = await ask(`list ${kind}`, { method: 'GET', path: `${pathOf(kind)}?${query}` });
      if (reply.status === 404) return refuse(`list ${kind}`, reply);
      const { items, metadata } = listSchema.parse(JSON.parse(reply.text));
      return { items, ...(metadata.continue === '' ? {} : { next: metadata.continue }) };
    },
    async apply(kind, manifest) {
      const { name } = manifest.metadata;
      const path = `${pathOf(kind, name)}?fieldManager=switchyard&force=true`;
      // JSON is YAML, too.
      const contentType = 'application/apply-patch+yaml';
      const reply = await ask(`apply ${kind} ${name}`, { method: 'PATCH', path, body: manifest, contentType });
      if (reply.status === 404) return refuse(`apply ${kind} ${name}`, reply);
      return resourceSchema.parse(JSON.parse(reply.text));
    },
    async remove(kind, name) {
      const path = `${pathOf(kind, name)}?propagationPolicy=Background`;
      await ask(`remove ${kind} ${name}`, { method: 'DELETE', path });
    },
  };
}
