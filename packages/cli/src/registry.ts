import type { Command } from './command.ts';
import { agentCommand } from './commands/agent.ts';
import { applyCommand } from './commands/apply.ts';
import { assignCommand } from './commands/assign.ts';
import { capsCommand } from './commands/caps.ts';
import { createConfigCommand } from './commands/config.ts';
import { controlPlaneCommand } from './commands/control-plane.ts';
import { createFunctionCommand } from './commands/create-function.ts';
import { debugCommand } from './commands/debug.ts';
import { deleteCommand } from './commands/delete.ts';
import { deployCommand } from './commands/deploy.ts';
import { deploymentsCommand } from './commands/deployments.ts';
import { devCommand } from './commands/dev.ts';
import { dlqCommand } from './commands/dlq.ts';
import { doctorCommand } from './commands/doctor.ts';
import { driftCommand } from './commands/drift.ts';
import { eventsCommand } from './commands/events.ts';
import { getCommand } from './commands/get.ts';
import { createHelpCommand } from './commands/help.ts';
import { initCommand } from './commands/init.ts';
import { invokeCommand } from './commands/invoke.ts';
import { jobCommand } from './commands/job.ts';
import { logsCommand } from './commands/logs.ts';
import { nodeCommand } from './commands/node.ts';
import { psCommand } from './commands/ps.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { rotateCommand } from './commands/rotate.ts';
import { runtimeCommand } from './commands/runtime.ts';
import { runtimesCommand } from './commands/runtimes.ts';
import { scaleCommand } from './commands/scale.ts';
import { rolloutCommand } from './commands/scale-rollout.ts';
import { settingsCommand } from './commands/settings.ts';
import { sidecarCommand } from './commands/sidecar.ts';
import { tokenCommand } from './commands/token.ts';
import { traceCommand } from './commands/trace.ts';
import { trafficCommand } from './commands/traffic.ts';
import { upCommand } from './commands/up.ts';
import { versionCommand } from './commands/version.ts';
import { wrapperCommand } from './commands/wrapper.ts';

/** Every command. A new one is a new file in `commands/` and one line here. */
export const commands: readonly Command[] = [
  devCommand,
  initCommand,
  createFunctionCommand,
  doctorCommand,
  upCommand,
  nodeCommand,
  deployCommand,
  psCommand,
  logsCommand,
  invokeCommand,
  settingsCommand,
  trafficCommand,
  rollbackCommand,
  rolloutCommand,
  scaleCommand,
  deleteCommand,
  traceCommand,
  debugCommand,
  applyCommand,
  getCommand,
  deploymentsCommand,
  driftCommand,
  rotateCommand,
  eventsCommand,
  dlqCommand,
  capsCommand,
  agentCommand,
  jobCommand,
  runtimeCommand,
  runtimesCommand,
  controlPlaneCommand,
  sidecarCommand,
  wrapperCommand,
  assignCommand,
  tokenCommand,
  createConfigCommand(devCommand, () => commands),
  versionCommand,
  createHelpCommand(() => commands),
];
