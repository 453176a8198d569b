/** `/v1/apps/{app}/rollout`: how the traffic of an app goes from one version to another. */
import { z } from 'zod';
import { codeVersionSchema, timeSchema } from './names.ts';

/** Steps of a roll-out. */
const maxSteps = 20;

/** No step is held for longer than a week. */
const maxHoldSeconds = 7 * 24 * 60 * 60;

const hold = z.int().min(0).max(maxHoldSeconds);

export const rolloutStrategySchema = z.enum(['canary', 'blueGreen']);

export const rolloutStepSchema = z.strictObject({
  /** Percent of the traffic for the new version. */
  weight: z.int().min(0).max(100),
  /** How long it must do well with that, in seconds. */
  holdSeconds: hold,
});

/** The new version may fail so much more often than the old one: 0.02 are two of a hundred. */
const maxErrorRateIncrease = z.number().min(0).max(1);
/** Its p99 may be so many times that of the old one. */
const maxP99Ratio = z.number().min(1).max(1_000);
/** Fewer calls say nothing. */
const minimumCalls = z.int().min(1).max(1_000_000);

export const rolloutGateSchema = z.strictObject({ maxErrorRateIncrease, maxP99Ratio, minimumCalls });

const gateWishSchema = z.strictObject({
  maxErrorRateIncrease: maxErrorRateIncrease.exactOptional(),
  maxP99Ratio: maxP99Ratio.exactOptional(),
  minimumCalls: minimumCalls.exactOptional(),
});

export const startRolloutSchema = z
  .strictObject({
    to: codeVersionSchema,
    strategy: rolloutStrategySchema.exactOptional(),
    /** Left out: 5, 25, 50 and 100 % for a canary, 100 % for blue/green. The weights must not fall. */
    steps: z.array(rolloutStepSchema).min(1).max(maxSteps).exactOptional(),
    /** For steps that are not named. */
    holdSeconds: hold.exactOptional(),
    gate: gateWishSchema.exactOptional(),
  })
  .refine(
    ({ steps = [] }) => steps.every(({ weight }, index) => index === 0 || weight >= (steps[index - 1]?.weight ?? 0)),
    'the weights of the steps must not fall',
  )
  .meta({ id: 'StartRollout' });

export const changeRolloutSchema = z
  .strictObject({ action: z.enum(['pause', 'resume', 'promote', 'abort']) })
  .meta({ id: 'ChangeRollout' });

export const versionHealthSchema = z.object({
  calls: z.int().min(0),
  /** Share of the calls that failed. */
  errorRate: z.number().min(0).max(1),
  p99Ms: z.number().min(0).exactOptional(),
});

export const rolloutSchema = z
  .object({
    strategy: rolloutStrategySchema,
    from: z.string(),
    to: z.string(),
    state: z.enum(['running', 'paused', 'promoted', 'rolledBack', 'aborted', 'superseded']),
    /** Why it is paused or was rolled back. */
    reason: z.string().exactOptional(),
    /** Counts from 0; left out when it is over. */
    step: z.int().min(0).exactOptional(),
    steps: z.array(rolloutStepSchema),
    gate: rolloutGateSchema,
    startedAt: timeSchema,
    /** How both versions do in the present step, and what the gate makes of it. */
    health: z
      .object({
        new: versionHealthSchema,
        old: versionHealthSchema,
        verdict: z.enum(['good', 'unknown', 'bad']),
        text: z.string(),
      })
      .exactOptional(),
    history: z.array(z.object({ at: timeSchema, text: z.string() })),
  })
  .meta({ id: 'Rollout' });

export type RolloutStepView = z.infer<typeof rolloutStepSchema>;
export type StartRollout = z.infer<typeof startRolloutSchema>;
export type ChangeRollout = z.infer<typeof changeRolloutSchema>;
export type RolloutAnswer = z.infer<typeof rolloutSchema>;
