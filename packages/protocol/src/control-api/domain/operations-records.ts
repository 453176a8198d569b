/** What the platform has found out: health, alerts, findings, scaling. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import { durationMsSchema, environmentIdSchema, serviceIdSchema, timeMsSchema } from './names.ts';

export const healthStatusSchema = z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']);

export const healthRecordSchema = z
  .object({
    serviceId: serviceIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    status: healthStatusSchema,
    /** Since when the status holds. */
    since: timeMsSchema,
    /** The window of the evaluation that wrote this; an older one never overwrites it. */
    window: z.int().min(0),
    failures: z.int().min(0),
    successes: z.int().min(0),
    probes: z.array(
      z.object({ name: z.string(), outcome: z.enum(['passed', 'failed', 'unknown']), message: z.string().max(500) }),
    ),
  })
  .meta({ id: 'HealthCheckResult' });

export const alertSchema = z
  .object({
    alertId: z.string().max(300),
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    subject: z.string().max(200),
    kind: z.enum(['health', 'secret-rotation', 'scaling', 'drift']),
    state: z.enum(['raised', 'cleared']),
    message: z.string().max(1_000),
    since: timeMsSchema,
  })
  .meta({ id: 'Alert' });

export const severitySchema = z.enum(['info', 'warning', 'critical']);

export const findingSchema = z
  .object({
    /** The hash of what is desired and what is there. */
    findingId: z.string().max(128),
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    serviceId: serviceIdSchema,
    kind: z.enum(['missing', 'unexpected', 'version', 'traffic', 'configuration', 'limits', 'status', 'secret']),
    /** What differs. */
    path: z.string().max(200),
    desired: z.string().max(1_000),
    actual: z.string().max(1_000),
    severity: severitySchema,
    state: z.enum(['open', 'resolved', 'adopted']),
    firstSeen: timeMsSchema,
    lastSeen: timeMsSchema,
    /** How often it was opened. */
    count: z.int().min(1),
    /** The revision of the desired state that it was found against: a commit, or the name of a stack export. */
    revision: z.string().max(200),
  })
  .meta({ id: 'RuntimeDriftFinding' });

export const scalingPolicySchema = z
  .object({
    serviceId: serviceIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    minReplicas: z.int().min(0).max(10_000),
    maxReplicas: z.int().min(1).max(10_000),
    /** What is measured, and how much of it one replica ought to have. The highest demand wins. */
    metrics: z
      .array(z.strictObject({ metric: z.string().regex(/^[a-z][a-z0-9_.-]{0,99}$/), target: z.number().positive() }))
      .min(1)
      .max(10),
    /** Percent of difference that is let be. */
    tolerancePercent: z.number().min(0).max(90),
    upCooldownMs: durationMsSchema,
    downCooldownMs: durationMsSchema,
    /** A wish to go down must hold for so long. */
    downStabilisationMs: durationMsSchema,
    concurrency: z.int().min(1).max(100_000).exactOptional(),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, 'minReplicas must not be above maxReplicas')
  .meta({ id: 'ScalingPolicy' });

export const scalingStateSchema = z
  .object({
    serviceId: serviceIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    /** The replicas that were asked for last. */
    replicas: z.int().min(0),
    concurrency: z.int().min(1).exactOptional(),
    lastUpAt: timeMsSchema,
    lastDownAt: timeMsSchema,
    reason: z.string().max(500),
  })
  .meta({ id: 'ScalingState' });

/** Something that somebody asked a worker for; the worker takes it away when it is done. */
export const workRequestSchema = z
  .object({
    /** `rotate/<binding>`, `remediate/<finding>`, `adopt/<finding>`. */
    requestId: z.string().max(300),
    kind: z.enum(['rotate', 'remediate', 'adopt']),
    subject: z.string().max(200),
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    requestedBy: z.string().max(200),
    requestedAt: timeMsSchema,
  })
  .meta({ id: 'WorkRequest' });

export type WorkRequest = z.infer<typeof workRequestSchema>;
export type HealthStatus = z.infer<typeof healthStatusSchema>;
export type HealthRecord = z.infer<typeof healthRecordSchema>;
export type Alert = z.infer<typeof alertSchema>;
export type Severity = z.infer<typeof severitySchema>;
export type Finding = z.infer<typeof findingSchema>;
export type ScalingPolicy = z.infer<typeof scalingPolicySchema>;
export type ScalingState = z.infer<typeof scalingStateSchema>;
