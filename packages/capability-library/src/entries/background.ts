/** The file that hosts load for `background`. */
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createBackgroundCapability } from '../background/background-capability.ts';
import { resolveHost } from '../resolve-host.ts';

export const { create } = createBackgroundCapability({
  clock: systemClock,
  random: systemRandom,
  resolve: resolveHost,
});
