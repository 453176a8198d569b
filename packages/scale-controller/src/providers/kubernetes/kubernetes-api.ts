/** Pods of workers in a cluster: what is asked for, and what is read of the answers. */
import type { ClusterApi, ClusterReply } from '@switchyard/protocol';
import { z } from 'zod';
import { scaleErrors } from '../../errors.ts';

/** A pod as far as it matters here. */
export interface SeenPod {
  readonly name: string;
  readonly phase: string;
  readonly address: string | undefined;
  readonly isReady: boolean;
  readonly exitCode: number | undefined;
  /** Why it does not run, in the cluster's words. */
  readonly reason: string | undefined;
  /** It waits for what seldom comes by waiting: an image that is not there, a Secret that nobody has made. */
  readonly isStuck: boolean;
}

/** All methods reject with KUBERNETES_REFUSED, and as the cluster's API does when there is no answer. */
export interface KubernetesApi {
  createPod(manifest: object): Promise<void>;
  listPods(labels: Readonly<Record<string, string>>): Promise<readonly SeenPod[]>;
  /** Harmless when there is none. */
  deletePod(name: string, graceSeconds: number): Promise<void>;
}

const podSchema = z.object({
  metadata: z.object({ name: z.string() }),
  status: z
    .object({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .optional(),
      containerStatuses: z
        .array(
          z.object({
            state: z
              .object({
                waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
                terminated: z.object({ exitCode: z.number(), reason: z.string().optional() }).optional(),
              })
              .optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});

/** What a container waits for that is not on its way. */
const stuckReasons: ReadonlySet<string> = new Set([
  ...['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'],
  ...['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'],
]);

export function createKubernetesApi(cluster: ClusterApi): KubernetesApi {
  return {
    async createPod(manifest) {
      orRefuse('a pod could not be created', await cluster.createPod(manifest));
    },
    async listPods(labels) {
      const { items } = orRefuse('the pods could not be listed', await cluster.list('pods', { labels }));
      return items.map((item) => toSeenPod(podSchema.parse(item)));
    },
    async deletePod(name, graceSeconds) {
      const reply = await cluster.remove('pods', name, Math.max(0, Math.ceil(graceSeconds)));
      if (reply.kind !== 'refused' || reply.status !== 404) orRefuse('a pod could not be deleted', reply);
    },
  };
}

function orRefuse<T>(what: string, reply: ClusterReply<T>): T {
  if (reply.kind === 'done') return reply.value;
  const { status, reason } = reply;
  throw scaleErrors.create('KUBERNETES_REFUSED', { what, status, reason });
}

function toSeenPod({ metadata, status = {} }: z.infer<typeof podSchema>): SeenPod {
  const { conditions = [], containerStatuses = [] } = status;
  const [container] = containerStatuses;
  const { waiting, terminated } = container?.state ?? {};
  // No node may have room for it.
  const unplaced = conditions.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')?.message;
  const told = [status.reason ?? waiting?.reason ?? terminated?.reason, status.message ?? waiting?.message ?? unplaced];
  const reason = told.filter((text) => text !== undefined && text !== '').join(': ');
  return {
    name: metadata.name,
    phase: status.phase ?? 'Pending',
    address: status.podIP,
    isReady: conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    exitCode: terminated?.exitCode,
    reason: reason === '' ? undefined : reason.slice(0, 500),
    isStuck: stuckReasons.has(waiting?.reason ?? ''),
  };
}
