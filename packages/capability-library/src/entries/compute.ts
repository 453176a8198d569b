/** The file that hosts load for `compute`. */
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createComputeCapability } from '../compute/compute-capability.ts';

export const { create } = createComputeCapability({ clock: systemClock, random: systemRandom });
