/** How far a Deployment is, by what the cluster says of it and of its pods. Pure. */
import { z } from 'zod';
import type { ClusterResource } from './cluster-client.ts';

export interface DeploymentState {
  readonly wanted: number;
  readonly ready: number;
  /** All pods are of the latest template, there are as many as wanted, and they are ready. */
  readonly isDone: boolean;
  /** Why it will not get there. */
  readonly failure: string | undefined;
}

const deploymentSchema = z.object({
  spec: z.object({ replicas: z.number().default(1) }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(''),
            message: z.string().default(''),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

export function deploymentStateOf(deployment: ClusterResource): DeploymentState {
  const { spec, status } = deploymentSchema.parse({ spec: deployment.spec, status: deployment.status ?? {} });
  const { replicas: wanted } = spec;
  const { readyReplicas: ready, updatedReplicas, replicas, observedGeneration, conditions } = status;
  const isSeen = observedGeneration >= deployment.metadata.generation;
  const failed = conditions.find(
    ({ type, status: is, reason }) =>
      (type === 'ReplicaFailure' && is === 'True') || (type === 'Progressing' && reason === 'ProgressDeadlineExceeded'),
  );
  return {
    ...{ wanted, ready: isSeen ? ready : 0 },
    isDone: isSeen && updatedReplicas === wanted && replicas === wanted && ready === wanted,
    failure: isSeen && failed !== undefined ? `${failed.reason}: ${failed.message}`.slice(0, 500) : undefined,
  };
}

/** Reasons of a container that waits and will go on waiting. */
const hopeless = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'RunContainerError',
]);

/** A container that was started anew so often will not come up. */
const maxRestarts = 3;

const podSchema = z.object({
  containerStatuses: z
    .array(
      z.object({
        restartCount: z.number().default(0),
        state: z
          .object({ waiting: z.object({ reason: z.string().default(''), message: z.string().default('') }).optional() })
          .default({}),
      }),
    )
    .default([]),
});

/** Why the pods of a version will not come up; undefined while they may. */
export function podFailureOf(pods: readonly ClusterResource[]): string | undefined {
  for (const { status } of pods) {
    for (const { restartCount, state } of podSchema.parse(status ?? {}).containerStatuses) {
      const { reason = '', message = '' } = state.waiting ?? {};
      if (hopeless.has(reason) || (reason === 'CrashLoopBackOff' && restartCount >= maxRestarts)) {
        return `${reason}: ${message}`.slice(0, 500);
      }
    }
  }
  return undefined;
}
