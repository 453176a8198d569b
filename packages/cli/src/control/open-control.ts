import { systemClock, systemRandom } from '@switchyard/kernel';
import type { CommandContext } from '../command.ts';
import type { ControlClient } from './control-client.ts';
import { type ControlFlagValues, findEndpoint } from './endpoint.ts';

/** Finds the platform that the flags mean. Rejects with why it cannot be found; nothing is asked yet. */
export async function openControl(flags: ControlFlagValues, context: CommandContext): Promise<ControlClient> {
  const endpoint = await findEndpoint(flags, context);
  // The schemas are loaded here, so that the other commands do not wait for them.
  const { createControlClient } = await import('./control-client.ts');
  return createControlClient({ clock: systemClock, random: systemRandom }, endpoint);
}
