import type { Command } from './command.ts';
import { createConfigCommand } from './commands/config.ts';
import { createFunctionCommand } from './commands/create-function.ts';
import { devCommand } from './commands/dev.ts';
import { createHelpCommand } from './commands/help.ts';
import { initCommand } from './commands/init.ts';
import { versionCommand } from './commands/version.ts';

/** Every command. A new one is a new file in `commands/` and one line here. */
export const commands: readonly Command[] = [
  devCommand,
  initCommand,
  createFunctionCommand,
  createConfigCommand(devCommand),
  versionCommand,
  createHelpCommand(() => commands),
];
