import type { CommandContext } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { controlErrors } from './errors.ts';

export interface StopOptions {
  /** True for commands that go on until they are stopped: then that is their good end. */
  readonly follows?: boolean;
  /** What to say when the command was stopped before its end. */
  readonly interrupted?: () => string;
}

/**
 * Runs `work` with a signal that aborts at the first request to stop, and waits for it to end in order. Rejects with
 * COMMAND_INTERRUPTED when it was stopped before its end.
 */
export async function untilStopped(
  context: Pick<CommandContext, 'onStopRequest'>,
  work: (signal: AbortSignal) => Promise<number>,
  { follows = false, interrupted }: StopOptions = {},
): Promise<number> {
  const stop = new AbortController();
  context.onStopRequest(() => stop.abort());
  try {
    return await work(stop.signal);
  } catch (error) {
    if (error !== stop.signal.reason || !stop.signal.aborted) throw error;
    if (follows) return exitCodes.done.code;
    throw controlErrors.create('COMMAND_INTERRUPTED', { text: interrupted?.() ?? 'Stopped before it was done.' });
  }
}
