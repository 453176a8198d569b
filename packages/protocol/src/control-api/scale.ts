/** `/v1/apps/{app}/scale`: how many workers an app may have, how many it has, and why. */
import { z } from 'zod';
import { regionSchema } from './fleet.ts';
import { functionNameSchema, revisionSchema, timeSchema } from './names.ts';

/** No app has more workers, and no worker more invocations at once. */
const most = 1_000;
const mostAtOnce = 10_000;

/** Functions that have a target of their own. */
const maxTargets = 200;

const workers = z.int().min(0).max(most);
const atOnce = z.int().min(1).max(mostAtOnce);
const cpuPercent = z.int().min(1).max(100);

/** What the owner of an app says; what is left out holds by default. */
export const appScaleSchema = z
  .strictObject({
    /** Workers that are kept also when nothing happens. */
    alwaysReady: workers.exactOptional(),
    /** Workers that are kept while the app is active. */
    minimum: workers.exactOptional(),
    maximum: z.int().min(1).max(most).exactOptional(),
    /** Invocations that one worker should run at once. */
    targetConcurrency: atOnce.exactOptional(),
    /** The same for single functions, by name. */
    functionTargets: z
      .record(functionNameSchema, atOnce)
      .refine((targets) => Object.keys(targets).length <= maxTargets, `at most ${maxTargets} functions`)
      .exactOptional(),
    /** How much of its processors a worker should use at most, in percent. */
    targetCpuPercent: cpuPercent.exactOptional(),
    /** The most invocations that one worker runs at once: what is beyond that waits. */
    perWorkerLimit: atOnce.exactOptional(),
    /** So long must little have happened before workers are given back. */
    stabilizationSeconds: z.int().min(1).max(86_400).exactOptional(),
    /** Leaves the workers as they are. */
    paused: z.boolean().exactOptional(),
    /** The region whose Runtimes may host it; any when left out. */
    region: regionSchema.exactOptional(),
    /** `dedicated`: no other tenant's app may be on its Runtimes. */
    isolation: z.enum(['shared', 'dedicated']).exactOptional(),
  })
  .refine(
    ({ minimum = 0, alwaysReady = 0, maximum = most }) => Math.max(minimum, alwaysReady) <= maximum,
    'minimum and alwaysReady must not be greater than maximum',
  )
  .meta({ id: 'AppScale' });

export const putScaleSchema = z
  .strictObject({
    scale: appScaleSchema,
    /** The revision that the writer has seen; left out, the last writer wins. */
    revision: revisionSchema.exactOptional(),
  })
  .meta({ id: 'PutScale' });

/** What a tenant may have; what is left out is not limited. */
export const tenantQuotaSchema = z
  .strictObject({
    /** Workers of all its apps together. */
    workers: z.int().min(0).max(1_000_000).exactOptional(),
  })
  .meta({ id: 'TenantQuota' });

export const putTenantQuotaSchema = z
  .strictObject({
    quota: tenantQuotaSchema,
    /** The revision that the writer has seen; left out, the last writer wins. */
    revision: revisionSchema.exactOptional(),
  })
  .meta({ id: 'PutTenantQuota' });

export const tenantQuotaViewSchema = z
  .object({
    revision: revisionSchema,
    quota: tenantQuotaSchema,
    /** Of all its apps together, now. */
    workers: z.object({ wanted: z.int().min(0), ready: z.int().min(0) }),
  })
  .meta({ id: 'TenantQuotaState' });

const amount = z.number().min(0);

/** One function's load. */
export const functionLoadSchema = z.object({
  name: z.string(),
  /** Invocations that run or wait. */
  active: z.int().min(0),
  eventsPerSecond: amount,
  /** Left out before the first has ended. */
  durationMs: amount.exactOptional(),
});

/** The last decision on one version, with all that it was made of. */
export const scaleVersionSchema = z
  .object({
    codeVersion: z.string(),
    /** Percent of the traffic. */
    weight: z.number(),
    workers: z.object({
      wanted: z.int().min(0),
      ready: z.int().min(0),
      starting: z.int().min(0),
      draining: z.int().min(0),
    }),
    signals: z.object({
      functions: z.array(functionLoadSchema),
      /** Messages that wait in queues and streams. */
      messages: z.int().min(0),
      oldestMessageMs: amount.exactOptional(),
      /** Left out where nobody measures it. */
      cpuShare: amount.exactOptional(),
      blockedWorkers: z.int().min(0),
      refused: z.int().min(0),
      startFailures: z.int().min(0),
      quietMs: amount,
    }),
    limits: z.object({
      alwaysReady: workers,
      minimum: workers,
      maximum: workers,
      targetConcurrency: atOnce,
      targetCpuPercent: cpuPercent,
      stabilizationSeconds: amount,
      /** Left out without a quota. */
      tenantAllowance: z.int().exactOptional(),
    }),
    decision: z.object({
      target: z.int().min(0),
      rule: z.string(),
      wanted: z.int().min(0),
      clamps: z.array(z.string()),
      /** In workers at their targets. */
      demand: amount,
      smoothedDemand: amount,
      explanation: z.string(),
      at: timeSchema,
    }),
  })
  .meta({ id: 'ScaleVersion' });

export const scaleChangeSchema = z.object({
  at: timeSchema,
  codeVersion: z.string(),
  from: z.int().min(0),
  to: z.int().min(0),
  rule: z.string(),
  explanation: z.string(),
});

export const scaleSchema = z
  .object({
    revision: revisionSchema,
    /** As its owner has said. */
    scale: appScaleSchema,
    versions: z.array(scaleVersionSchema),
    /** The latest changes, newest first. */
    changes: z.array(scaleChangeSchema),
  })
  .meta({ id: 'Scale' });

export type AppScaleView = z.infer<typeof appScaleSchema>;
export type TenantQuota = z.infer<typeof tenantQuotaSchema>;
export type TenantQuotaView = z.infer<typeof tenantQuotaViewSchema>;
export type PutScale = z.infer<typeof putScaleSchema>;
export type ScaleVersionView = z.infer<typeof scaleVersionSchema>;
export type ScaleView = z.infer<typeof scaleSchema>;
