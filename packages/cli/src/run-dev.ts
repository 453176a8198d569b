import { isPlatformError } from '@switchyard/kernel';
import type { DevOptions } from '@switchyard/standalone';
import type { CommandContext } from './command.ts';
import { exitCodes } from './exit-codes.ts';

/** Runs apps until the user asks to stop, or until it is clear that none can be run. Returns the exit code. */
export async function runDev(options: DevOptions, context: Pick<CommandContext, 'onStopRequest'>): Promise<number> {
  const stopRequested = new Promise<string>((resolve) => context.onStopRequest(resolve));
  // Everything heavy is loaded here, so that the other commands do not wait for it.
  const { startDev } = await import('@switchyard/standalone');
  const dev = await startDev({ ...options, pack });
  const outcome = await Promise.race([stopRequested, dev.ready]);
  if (typeof outcome === 'object' && outcome.kind === 'nothing-to-serve') return exitCodeOf(outcome.error);
  await stopRequested;
  await dev.stop();
  return exitCodes.done.code;
}

/** Loaded when somebody wants the files of an app. */
async function pack(directory: string, target: string): Promise<void> {
  const { packFolder } = await import('./packing/pack-folder.ts');
  await packFolder(directory, target);
}

function exitCodeOf(error: Error | undefined): number {
  return isPlatformError(error) ? error.definition.exit : exitCodes.failed.code;
}
