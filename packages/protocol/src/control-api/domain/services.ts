/** Services as they ought to be (the specification) and as they were seen (the inventory). */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import {
  configurationIdSchema,
  durationMsSchema,
  environmentIdSchema,
  secretBindingIdSchema,
  serviceIdSchema,
  serviceVersionSchema,
  targetNameSchema,
  timeMsSchema,
} from './names.ts';

const probeTiming = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  /** What it tells: that the service lives, that it can take work, or that what it depends on is there. */
  purpose: z.enum(['liveness', 'readiness', 'dependency']).default('liveness'),
  timeoutMs: durationMsSchema.default(2_000),
};

/** One question that tells how a service is. */
export const probeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http'),
    ...probeTiming,
    url: z.url({ protocol: /^https?$/ }).max(2_000),
    /** Any status from 200 to 399 when left out. */
    status: z.int().min(100).max(599).exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('tcp'),
    ...probeTiming,
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535),
  }),
  z.strictObject({
    kind: z.literal('exec'),
    ...probeTiming,
    /** The program and its arguments; no shell reads them. */
    command: z.array(z.string().max(1_000)).min(1).max(50),
  }),
  z.strictObject({
    kind: z.literal('grpc'),
    ...probeTiming,
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535),
    /** The service that grpc.health.v1.Health is asked for; the whole server when left out. */
    service: z.string().max(200).exactOptional(),
  }),
  /** Asks the compute target what it knows of the service, or of another one that it depends on. */
  z.strictObject({ kind: z.literal('target'), ...probeTiming, serviceId: serviceIdSchema.exactOptional() }),
]);

export const limitsSchema = z.object({
  minReplicas: z.int().min(0).max(10_000),
  maxReplicas: z.int().min(1).max(10_000),
  /** How many invocations a replica may run at once; the target's own default when left out. */
  concurrency: z.int().min(1).max(100_000).exactOptional(),
});

export const strategySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rolling'), batches: z.int().min(1).max(20).default(4) }),
  z.strictObject({ kind: z.literal('blue-green') }),
  z.strictObject({
    kind: z.literal('canary'),
    /** Percent of the traffic, growing. */
    steps: z
      .array(z.int().min(1).max(99))
      .min(1)
      .max(20)
      .refine((steps) => steps.every((step, at) => at === 0 || step > (steps[at - 1] ?? 0)), 'the steps must grow')
      .default([5, 25, 50]),
  }),
]);

/** How a service ought to be. */
export const serviceSpecSchema = z
  .object({
    serviceId: serviceIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    moduleId: z.string().max(100).exactOptional(),
    computeTarget: targetNameSchema,
    version: serviceVersionSchema,
    limits: limitsSchema,
    strategy: strategySchema,
    /** How long a roll-out watches each of its steps. */
    gateMs: durationMsSchema,
    configurationId: configurationIdSchema.exactOptional(),
    secretBindings: z.array(secretBindingIdSchema).max(50),
    probes: z.array(probeSchema).max(20),
    /** Services that it cannot work without. */
    dependencies: z.array(serviceIdSchema).max(50),
    /** Who specified it: a manifest, or a deployment of something that nobody had specified. Only the former can drift. */
    origin: z.enum(['manifest', 'deployment']),
  })
  .meta({ id: 'ServiceSpec' });

/** A version's part of the requests, in percent. */
export const shareSchema = z.object({ version: serviceVersionSchema, weight: z.number().min(0).max(100) });

/** What a compute target says of a service. */
export const observedServiceSchema = z.object({
  serviceId: serviceIdSchema,
  tenantId: tenantIdSchema.exactOptional(),
  componentType: z.string().max(60),
  /** The version with the most traffic; empty when there is none. */
  version: z.string().max(255),
  weights: z.array(shareSchema),
  replicas: z.int().min(0),
  limits: limitsSchema.partial(),
  status: z.enum(['running', 'degraded', 'stopped', 'failed', 'unknown']),
  endpointUrl: z.string().max(2_000).exactOptional(),
  /** The keyed digest of the configuration that runs. */
  configurationHash: z.string().max(128).exactOptional(),
});

/** A service as the inventory has it. */
export const runtimeServiceSchema = observedServiceSchema
  .extend({
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    computeTarget: targetNameSchema,
    /** False for what runs at a target and nobody has applied. */
    managed: z.boolean(),
    /** Sweeps in a row that did not find it; from 2 on it is a tombstone. */
    missedSweeps: z.int().min(0).max(2),
    /** The last sweep that found something new about it. */
    lastObservedAt: timeMsSchema,
  })
  .meta({ id: 'RuntimeService' });

export type Probe = z.infer<typeof probeSchema>;
export type ServiceLimits = z.infer<typeof limitsSchema>;
export type RollOutStrategy = z.infer<typeof strategySchema>;
export type ServiceSpec = z.infer<typeof serviceSpecSchema>;
export type ObservedService = z.infer<typeof observedServiceSchema>;
export type RuntimeService = z.infer<typeof runtimeServiceSchema>;
export type TrafficShare = z.infer<typeof shareSchema>;
