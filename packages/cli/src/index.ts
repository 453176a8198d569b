/** The command line: commands as data, one file each. */
export type { Command, CommandContext } from './command.ts';
export { exitCodes } from './exit-codes.ts';
export { commands } from './registry.ts';
export { runSwitchyard } from './run-switchyard.ts';
