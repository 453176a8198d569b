/** The resources of a namespace that services are made of. */
import { messageOf } from '@switchyard/kernel';
import type { ClusterApi, ClusterRefusal, ClusterReply, ClusterResourceKind } from '@switchyard/protocol';
import { z } from 'zod';
import { computeErrors } from '../errors.ts';

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

export interface ResourcePage {
  readonly items: readonly ClusterResource[];
  readonly next?: string;
}

interface NamedManifest {
  readonly metadata: { readonly name: string };
}

type Labels = Readonly<Record<string, string>>;

/** All methods reject with TARGET_UNREACHABLE or TARGET_REFUSED. */
export interface ClusterClient {
  get(kind: ClusterResourceKind, name: string): Promise<ClusterResource | undefined>;
  list(kind: ClusterResourceKind, labels: Labels, after?: string): Promise<ResourcePage>;
  /** All pages, begun anew where the cluster has forgotten the place of the next one. */
  listAll(kind: ClusterResourceKind, labels: Labels): Promise<readonly ClusterResource[]>;
  /** Makes it so, whether it is there or not (server-side apply); what is so already is not changed. */
  apply(kind: ClusterResourceKind, manifest: NamedManifest): Promise<ClusterResource>;
  /** Harmless when there is none; what belongs to it goes with it. */
  remove(kind: ClusterResourceKind, name: string): Promise<void>;
}

const pageSize = 500;

/** How often a list is begun anew. */
const maxRestarts = 3;

/** HTTP 410: the place of the next page was kept for some minutes, and is forgotten. */
const forgotten = 410;

export function createClusterClient(cluster: ClusterApi, computeTarget: string): ClusterClient {
  const answerTo = <T>(reply: Promise<ClusterReply<T>>): Promise<ClusterReply<T>> =>
    reply.catch((thrown: unknown) => {
      const details = { computeTarget, address: cluster.server, reason: messageOf(thrown) };
      throw computeErrors.create('TARGET_UNREACHABLE', details, thrown);
    });
  const refuse = (what: string, { status, reason }: ClusterRefusal): never => {
    throw computeErrors.create('TARGET_REFUSED', { computeTarget, what, status, reason });
  };
  const pageOf = async (
    kind: ClusterResourceKind,
    labels: Labels,
    after?: string,
  ): Promise<ClusterReply<ResourcePage>> => {
    const place = after === undefined ? {} : { after };
    const reply = await answerTo(cluster.list(kind, { labels, pageSize, ...place }));
    if (reply.kind === 'refused') return reply;
    const items = reply.value.items.map((item) => resourceSchema.parse(item));
    return { kind: 'done', value: { ...reply.value, items } };
  };
  const pagesOf = async (
    kind: ClusterResourceKind,
    labels: Labels,
  ): Promise<ClusterReply<readonly ClusterResource[]>> => {
    const found: ClusterResource[] = [];
    for (let after: string | undefined; ; ) {
      const reply = await pageOf(kind, labels, after);
      if (reply.kind === 'refused') return reply;
      found.push(...reply.value.items);
      after = reply.value.next;
      if (after === undefined) return { kind: 'done', value: found };
    }
  };
  return {
    async get(kind, name) {
      const reply = await answerTo(cluster.get(kind, name));
      if (reply.kind === 'done') return resourceSchema.parse(reply.value);
      return reply.status === 404 ? undefined : refuse(`tell of ${kind} ${name}`, reply);
    },
    async list(kind, labels, after) {
      const reply = await pageOf(kind, labels, after);
      return reply.kind === 'done' ? reply.value : refuse(`list ${kind}`, reply);
    },
    async listAll(kind, labels) {
      for (let restarts = 0; ; restarts += 1) {
        const reply = await pagesOf(kind, labels);
        if (reply.kind === 'done') return reply.value;
        if (reply.status !== forgotten || restarts >= maxRestarts) return refuse(`list ${kind}`, reply);
      }
    },
    async apply(kind, manifest) {
      const { name } = manifest.metadata;
      const reply = await answerTo(cluster.apply(kind, name, manifest));
      return reply.kind === 'done' ? resourceSchema.parse(reply.value) : refuse(`apply ${kind} ${name}`, reply);
    },
    async remove(kind, name) {
      const reply = await answerTo(cluster.remove(kind, name));
      if (reply.kind === 'refused' && reply.status !== 404) refuse(`remove ${kind} ${name}`, reply);
    },
  };
}
