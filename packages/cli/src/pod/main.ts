/** The process in the images of workers: `switchyard` with what runs beside a worker, and nothing else. */
import type { Command } from '../command.ts';
import { createHelpCommand } from '../commands/help.ts';
import { sidecarCommand } from '../commands/sidecar.ts';
import { versionCommand } from '../commands/version.ts';
import { wrapperCommand } from '../commands/wrapper.ts';
import { runProcess } from '../run-process.ts';
import { runSwitchyard } from '../run-switchyard.ts';

const commands: readonly Command[] = [
  sidecarCommand,
  wrapperCommand,
  versionCommand,
  createHelpCommand(() => commands),
];

runProcess((words, context) => runSwitchyard(words, commands, context));
