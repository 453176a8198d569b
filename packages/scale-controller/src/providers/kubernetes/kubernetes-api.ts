/** The few calls of the Kubernetes API that pods of workers need, and the post to a sidecar, over one HTTPS port. */
import {
  createAskKubernetes,
  type HttpExchange,
  type HttpReply,
  type KubernetesAccess,
  kubernetesReasonOf,
} from '@switchyard/protocol/http-exchange';
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
}

export interface KubernetesApi {
  createPod(manifest: object): Promise<void>;
  listPods(labelSelector: string): Promise<readonly SeenPod[]>;
  /** Harmless when there is none. */
  deletePod(name: string, graceSeconds: number): Promise<void>;
}

export interface KubernetesApiOptions extends KubernetesAccess {
  readonly namespace: string;
}

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          phase: z.string().optional(),
          podIP: z.string().optional(),
          reason: z.string().optional(),
          message: z.string().optional(),
          conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
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
    }),
  ),
});

export function createKubernetesApi(exchange: HttpExchange, options: KubernetesApiOptions): KubernetesApi {
  const askKubernetes = createAskKubernetes(exchange, options);
  const base = `/api/v1/namespaces/${encodeURIComponent(options.namespace)}/pods`;
  const ask = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<HttpReply> =>
    askKubernetes({ method, path: `${base}${path}`, ...(body === undefined ? {} : { body }) });
  const refuse = (what: string, reply: HttpReply): never => {
    const { status } = reply;
    throw scaleErrors.create('KUBERNETES_REFUSED', { what, status, reason: kubernetesReasonOf(reply) });
  };
  return {
    async createPod(manifest) {
      const reply = await ask('POST', '', manifest);
      if (reply.status !== 201) refuse('a pod could not be created', reply);
    },
    async listPods(labelSelector) {
      const reply = await ask('GET', `?labelSelector=${encodeURIComponent(labelSelector)}`);
      if (reply.status !== 200) return refuse('the pods could not be listed', reply);
      return listSchema.parse(JSON.parse(reply.text)).items.map(toSeenPod);
    },
    async deletePod(name, graceSeconds) {
      const path = `/${encodeURIComponent(name)}?gracePeriodSeconds=${Math.max(0, Math.ceil(graceSeconds))}`;
      const reply = await ask('DELETE', path);
      if (reply.status >= 300 && reply.status !== 404) refuse('a pod could not be deleted', reply);
    },
  };
}

function toSeenPod({ metadata, status = {} }: z.infer<typeof listSchema>['items'][number]): SeenPod {
  const { conditions = [], containerStatuses = [] } = status;
  const [container] = containerStatuses;
  const { waiting, terminated } = container?.state ?? {};
  const told = [status.reason ?? waiting?.reason ?? terminated?.reason, status.message ?? waiting?.message];
  const reason = told.filter((text) => text !== undefined && text !== '').join(': ');
  return {
    name: metadata.name,
    phase: status.phase ?? 'Pending',
    address: status.podIP,
    isReady: conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    exitCode: terminated?.exitCode,
    reason: reason === '' ? undefined : reason.slice(0, 500),
  };
}
