/** Compute targets besides the installation itself. A composition root loads them when they are configured, and not before. */
export { computeErrors } from './errors.ts';
export {
  type NodeAgents,
  type NodeAgentsDeps,
  type NodeAgentsOptions,
  nodeAgentTargetName,
  openNodeAgents,
} from './node-agent/open-node-agents.ts';
