import { type Command, defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { commandHelp, programHelp } from '../help-text.ts';
import { unknownCommand } from '../unknown-command.ts';

/** Makes the help of the commands that it is given; it is one of them itself. */
export function createHelpCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: 'help',
    summary: 'Shows what there is, or what a command can do.',
    positional: { name: 'command', summary: 'the command to explain', maximum: 1 },
    flags: {},
    examples: ['switchyard help dev'],
    async run({ positionals: [name] }, { stdout, stderr }) {
      if (name === undefined) {
        stdout.write(programHelp(commands()));
        return exitCodes.done.code;
      }
      const command = commands().find((candidate) => candidate.name === name);
      if (command === undefined) {
        stderr.write(`${unknownCommand(name, commands())}\n`);
        return exitCodes.usage.code;
      }
      stdout.write(commandHelp(command));
      return exitCodes.done.code;
    },
  });
}
