import { defineErrors } from '@switchyard/kernel';

/** A mistake in how the agent was started. */
const byTheUser = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: 2 } as const;

/** What keeps an agent from starting on this machine. */
export const agentProcessErrors = defineErrors({
  AGENT_CONFIG_UNREADABLE: {
    ...byTheUser,
    message: "The agent's configuration '{path}' cannot be read: {reason}. Name another file with --config.",
  },
  AGENT_FOLDER_FOREIGN: {
    ...byTheUser,
    exit: 3,
    message:
      "The folder '{path}' for the workspaces of jobs belongs to another user, who could change what jobs read. Name a folder of your own with workspace.path.",
  },
});
