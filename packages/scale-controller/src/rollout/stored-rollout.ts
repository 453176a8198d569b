import { traceSchema } from '@switchyard/protocol/control-api';
import { z } from 'zod';
import type { Rollout } from './rollout.ts';

const step = z.int().min(0);

const stateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('running'), step, sinceMs: z.number() }),
  z.object({ kind: z.literal('paused'), step, reason: z.string() }),
  z.object({ kind: z.literal('promoted'), atMs: z.number() }),
  z.object({ kind: z.literal('rolledBack'), atMs: z.number(), reason: z.string() }),
  z.object({ kind: z.literal('aborted'), atMs: z.number() }),
  z.object({ kind: z.literal('superseded'), atMs: z.number() }),
]);

const rolloutSchema = z.object({
  applicationId: z.string(),
  strategy: z.enum(['canary', 'blueGreen']),
  from: z.string(),
  to: z.string(),
  steps: z.array(z.object({ weight: z.int().min(0).max(100), holdMs: z.number().min(0) })),
  gate: z.object({ maxErrorRateIncrease: z.number(), maxP99Ratio: z.number(), minimumCalls: z.number() }),
  state: stateSchema,
  startedAtMs: z.number(),
  history: z.array(z.object({ atMs: z.number(), text: z.string() })),
  trafficRevision: z.int(),
  trace: traceSchema.exactOptional(),
  isSettled: z.boolean(),
});

/** What a store has kept; undefined for anything else. */
export function readRollout(body: unknown): Rollout | undefined {
  return rolloutSchema.safeParse(body).data;
}
