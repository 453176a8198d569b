/** The file that hosts load for `ml.inference`. */
import { systemClock } from '@switchyard/kernel';
import { createInferenceCapability } from '../inference/inference-capability.ts';

export const { create } = createInferenceCapability({ clock: systemClock });
