import type { Command } from './command.ts';
import { devCommand } from './commands/dev.ts';
import { createHelpCommand } from './commands/help.ts';
import { versionCommand } from './commands/version.ts';

/** Every command. A new one is a new file in `commands/` and one line here. */
export const commands: readonly Command[] = [devCommand, versionCommand, createHelpCommand(() => commands)];
