import { defineErrors, type ErrorCatalogue } from '@switchyard/kernel';

/** Exit codes of the command line. */
const usageExit = 2;
const machineExit = 3;

export type AgentErrorCode =
  | 'AGENT_CONFIG_INVALID'
  | 'JOB_STORE_UNUSABLE'
  | 'JOB_STORE_VERSION'
  | 'ENGINE_UNREACHABLE'
  | 'ENGINE_REFUSED'
  | 'WORKSPACE_UNUSABLE';

/** What keeps an agent from starting or from working. What happens to a job is a `JobError` instead. */
export const agentErrors: ErrorCatalogue<AgentErrorCode> = defineErrors<AgentErrorCode>({
  AGENT_CONFIG_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: usageExit,
    message: "{where}: {problem}. 'switchyard agent --print-config' shows every setting",
  },
  JOB_STORE_UNUSABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      "the job store '{path}' cannot be opened: {reason}. Give the agent the right to write it, or name another file with store.path",
  },
  JOB_STORE_VERSION: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      "the job store '{path}' has version {found}, and this agent reads version {expected}. Run the agent that wrote it, or name another file with store.path",
  },
  ENGINE_UNREACHABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: machineExit,
    message:
      "the container engine at '{socket}' cannot be reached: {reason}. Start it, or name its socket with docker.socket",
  },
  ENGINE_REFUSED: {
    blame: 'dependency',
    retry: 'never',
    http: 502,
    grpc: 13,
    exit: 1,
    message: 'the container engine answered {method} {path} with {status}: {reason}',
  },
  WORKSPACE_UNUSABLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: machineExit,
    message:
      "no workspace can be made in '{path}': {reason}. Give the agent the right to write it, or name another folder with workspace.path",
  },
});
