/** `/v1/apps/{app}/traffic` and `/v1/apps/{app}/rollback`. */
import { z } from 'zod';
import { codeVersionSchema, revisionSchema, timeSchema } from './names.ts';

/** More versions than this at once are no roll-out. */
const maxWeights = 10;

export const weightSchema = z.strictObject({
  codeVersion: codeVersionSchema,
  /** Percent. */
  weight: z.int().min(0).max(100),
});

export const weightsSchema = z
  .array(weightSchema)
  .min(1)
  .max(maxWeights)
  .refine((weights) => weights.reduce((sum, { weight }) => sum + weight, 0) === 100, 'the weights must add up to 100')
  .refine(
    (weights) => new Set(weights.map(({ codeVersion }) => codeVersion)).size === weights.length,
    'each version may stand there once',
  );

export const setTrafficSchema = z
  .strictObject({
    weights: weightsSchema,
    /** The traffic revision that the writer has seen; left out, the last writer wins. */
    revision: revisionSchema.exactOptional(),
  })
  .meta({ id: 'SetTraffic' });

/** Without `to`: the version that last had all the traffic before the present one. */
export const rollbackSchema = z
  .strictObject({ to: codeVersionSchema.exactOptional(), revision: revisionSchema.exactOptional() })
  .meta({ id: 'Rollback' });

export const trafficSchema = z
  .object({
    revision: revisionSchema,
    weights: z.array(weightSchema),
    setAt: timeSchema,
    /** Why: `deployment`, `traffic` or `rollback`. */
    reason: z.string(),
  })
  .meta({ id: 'Traffic' });

export type Weight = z.infer<typeof weightSchema>;
export type SetTraffic = z.infer<typeof setTrafficSchema>;
export type Rollback = z.infer<typeof rollbackSchema>;
export type TrafficView = z.infer<typeof trafficSchema>;
