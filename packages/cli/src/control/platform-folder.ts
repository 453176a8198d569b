import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CommandContext } from '../command.ts';

/**
 * The folder in which `switchyard up` keeps its data, for all commands that look there: the one that a flag names, else that of
 * SWITCHYARD_DATA_DIR, else ~/.switchyard.
 */
export function platformFolder(
  given: string | undefined,
  { environment, workingDirectory }: Pick<CommandContext, 'environment' | 'workingDirectory'>,
): string {
  const named = given ?? (environment.SWITCHYARD_DATA_DIR || undefined);
  return named === undefined ? join(environment.HOME || homedir(), '.switchyard') : resolve(workingDirectory, named);
}
