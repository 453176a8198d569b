/** The file that hosts load for `data.sql`. */
import { systemClock } from '@switchyard/kernel';
import { createDataCapability } from '../data/data-capability.ts';

export const { create } = createDataCapability({ clock: systemClock });
