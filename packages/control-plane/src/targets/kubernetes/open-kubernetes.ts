/** Joins the parts of the target in a cluster. */
import type { Clock } from '@switchyard/kernel';
import { createAskKubernetes, type HttpExchange, type KubernetesAccess } from '@switchyard/protocol/http-exchange';
import type { ComputeTarget } from '../contract.ts';
import { createClusterClient } from './cluster-client.ts';
import { createKubernetesTarget, type KubernetesTargetOptions, kubernetesTargetName } from './kubernetes-target.ts';

export interface KubernetesDeps {
  readonly clock: Clock;
  readonly exchange: HttpExchange;
}

export type KubernetesOptions = KubernetesAccess & KubernetesTargetOptions;

export function openKubernetes({ clock, exchange }: KubernetesDeps, options: KubernetesOptions): ComputeTarget {
  const { server, token, ...rest } = options;
  const ask = createAskKubernetes(exchange, { server, token });
  const { namespace } = rest;
  const client = createClusterClient(ask, { computeTarget: kubernetesTargetName, namespace, server });
  return createKubernetesTarget({ clock, client }, rest);
}
