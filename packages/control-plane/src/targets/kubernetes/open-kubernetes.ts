/** Joins the parts of the target in a cluster. */
import type { Clock } from '@switchyard/kernel';
import type { ClusterApi } from '@switchyard/protocol';
import type { ComputeTarget } from '../contract.ts';
import { createClusterClient } from './cluster-client.ts';
import { createKubernetesTarget, type KubernetesTargetOptions, kubernetesTargetName } from './kubernetes-target.ts';

export interface KubernetesDeps {
  readonly clock: Clock;
  /** Of the namespace that the options name. */
  readonly cluster: ClusterApi;
}

export type KubernetesOptions = KubernetesTargetOptions;

export function openKubernetes({ clock, cluster }: KubernetesDeps, options: KubernetesOptions): ComputeTarget {
  const client = createClusterClient(cluster, kubernetesTargetName);
  return createKubernetesTarget({ clock, client }, options);
}
