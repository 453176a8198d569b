/** The node agent: container jobs over HTTP, job protocol version 1. */
export { createNodeAgent, type NodeAgent, type NodeAgentDeps, type NodeAgentOptions } from './agent.ts';
export { isLoopbackAddress } from './api/access.ts';
export { type AgentSettings, defaultAgentSettings, settingPaths } from './config/agent-settings.ts';
export {
  describeSettings,
  type EffectiveSettings,
  readAgentSettings,
  type SettingsSources,
  settingVariable,
} from './config/read-agent-settings.ts';
export { readSettingsFile, type SettingsFile } from './config/read-settings-file.ts';
export type {
  Fingerprint,
  OutputStream,
  RecoverOutcome,
  StartOutcome,
  TaskDriver,
  TaskEvents,
  TaskExit,
  TaskSpec,
} from './driver/contract.ts';
export { DockerDriver, type DockerDriverDeps, type DockerDriverOptions } from './driver/docker/docker-driver.ts';
export { MockDriver, MockEngine } from './driver/mock/mock-driver.ts';
export { openWorkspaces, type Workspaces } from './execution/workspaces.ts';
export type { JobStore } from './jobs/job-store.ts';
export { MemoryJobStore } from './jobs/memory-job-store.ts';
export { openSqliteJobStore } from './jobs/sqlite-job-store.ts';
export { createSystemMetrics, type SystemMetrics } from './machine/system-metrics.ts';
