import type { Command } from './command.ts';
import { nearest } from './suggestion.ts';

/** What to say when there is no such command. */
export function unknownCommand(name: string, commands: readonly Command[]): string {
  const meant = nearest(
    name,
    commands.map((command) => command.name),
  );
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  return `There is no command '${name}'.${hint} 'switchyard help' lists all.`;
}
