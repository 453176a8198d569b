/**
 * What is to be done so that a service has the pods that it ought to have. Pure.
 *
 * I1 Each version has as many pods of the present generation as its share of the replicas, on the agents with the most room.
 * I2 Pods of an earlier generation go only when those that take over are ready.
 * I3 Of pods that are too many those that are not ready go first.
 * I4 Pods of versions that the service has no more go.
 */
import { shareReplicas } from '../observed-shares.ts';
import type { AgentService } from './agent-services.ts';

/** A pod as it was seen. */
export interface SeenPod {
  readonly jobId: string;
  readonly agent: string;
  readonly serviceId: string;
  readonly version: string;
  readonly generation: number;
  /** Where it takes requests; undefined while it has no address. */
  readonly endpoint: string | undefined;
  /** The port that it was told to listen on. */
  readonly port: number;
  readonly isReady: boolean;
  /** How often it was started anew. */
  readonly restarts: number;
  /** It was told to stop. */
  readonly isLeaving: boolean;
}

export interface SeenAgent {
  readonly url: string;
  /** How many more pods it takes. */
  readonly room: number;
}

export interface PodStart {
  readonly agent: string;
  readonly version: string;
}

export interface PodPlan {
  readonly starts: readonly PodStart[];
  readonly stops: readonly SeenPod[];
  /** Pods that no agent has room for. */
  readonly homeless: number;
  /** Every version has its pods, and they are ready. */
  readonly isSettled: boolean;
}

export function planPods(service: AgentService, pods: readonly SeenPod[], agents: readonly SeenAgent[]): PodPlan {
  const wanted = shareReplicas(service.versions, service.planned, replicasOf(service));
  const own = pods.filter(({ serviceId, isLeaving }) => serviceId === service.serviceId && !isLeaving);
  const room = new Map(agents.map(({ url, room: free }) => [url, free]));
  const starts: PodStart[] = [];
  const stops: SeenPod[] = own.filter(({ version }) => !wanted.has(version));
  let [homeless, isSettled] = [0, true];
  for (const [version, count] of wanted) {
    const ofVersion = own.filter((pod) => pod.version === version);
    const current = ofVersion.filter(({ generation }) => generation === service.generation);
    const ready = current.filter(({ isReady }) => isReady);
    if (ready.length >= count) stops.push(...ofVersion.filter(({ generation }) => generation !== service.generation));
    else isSettled = false;
    stops.push(...surplusOf(current, count));
    for (let missing = current.length; missing < count; missing += 1) {
      const agent = roomiest(room);
      if (agent === undefined) homeless += 1;
      else {
        room.set(agent, (room.get(agent) ?? 0) - 1);
        starts.push({ agent, version });
      }
    }
  }
  return { starts, stops, homeless, isSettled };
}

/** Replicas in all: the policy of a service moves its minimum; nothing runs without one. */
export function replicasOf({ limits }: Pick<AgentService, 'limits'>): number {
  return Math.max(1, limits.minReplicas ?? 1);
}

function surplusOf(pods: readonly SeenPod[], count: number): readonly SeenPod[] {
  const byUse = [...pods].sort(
    (left, right) => Number(right.isReady) - Number(left.isReady) || (left.jobId < right.jobId ? -1 : 1),
  );
  return byUse.slice(count);
}

function roomiest(room: ReadonlyMap<string, number>): string | undefined {
  const [best] = [...room]
    .filter(([, free]) => free > 0)
    .sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1));
  return best?.[0];
}
