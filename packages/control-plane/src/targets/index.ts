/** Compute targets besides the installation itself. A composition root loads them when they are configured, and not before. */
export { computeErrors } from './errors.ts';
export { kubernetesTargetName } from './kubernetes/kubernetes-target.ts';
export { type KubernetesDeps, type KubernetesOptions, openKubernetes } from './kubernetes/open-kubernetes.ts';
export {
  type NodeAgents,
  type NodeAgentsDeps,
  type NodeAgentsOptions,
  nodeAgentTargetName,
  openNodeAgents,
} from './node-agent/open-node-agents.ts';
