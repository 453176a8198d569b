import { isPlatformError } from '@switchyard/kernel';
import type { Command, CommandContext } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { commandHelp, programHelp } from './help-text.ts';
import { type GivenArguments, parseArguments } from './parse-arguments.ts';
import { resolveInput } from './settings/resolve-settings.ts';
import { unknownCommand } from './unknown-command.ts';

/** Spellings of commands that people try. */
const aliases: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
  start: 'dev',
};

/**
 * Runs one command line. Returns the exit code; never rejects for what the user can mend. Anything else is a defect of
 * ours and goes up to the process.
 */
export async function runSwitchyard(
  words: readonly string[],
  commands: readonly Command[],
  context: CommandContext,
): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) {
    context.stdout.write(programHelp(commands));
    return exitCodes.done.code;
  }
  const name = Object.hasOwn(aliases, first) ? aliases[first] : first;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const message = first.startsWith('-')
      ? `There is no flag '${first}' before a command. 'switchyard help' lists all commands.`
      : unknownCommand(first, commands);
    return complain(context, message, exitCodes.usage.code);
  }
  const parsed = parseArguments(command, rest);
  switch (parsed.kind) {
    case 'wrong':
      return complain(context, parsed.message, exitCodes.usage.code);
    case 'help':
      context.stdout.write(commandHelp(command));
      return exitCodes.done.code;
    case 'parsed':
      return runCommand(command, parsed, context, commands);
  }
}

/** Runs a command with what was given and configured; a PlatformError is shown and gives the exit code. */
async function runCommand(
  command: Command,
  given: GivenArguments,
  context: CommandContext,
  all: readonly Command[],
): Promise<number> {
  try {
    return await command.run(await resolveInput(command, given, context, all), context);
  } catch (error) {
    if (!isPlatformError(error)) throw error;
    return complain(context, error.message, error.definition.exit);
  }
}

function complain(context: CommandContext, message: string, exitCode: number): number {
  context.stderr.write(`${message}\n`);
  return exitCode;
}
