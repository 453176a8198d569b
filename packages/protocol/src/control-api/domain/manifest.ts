/** `switchyard.yaml` of an environment: what its services, configurations, secrets and policies ought to be. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import { configurationValueSchema } from './configurations.ts';
import { desiredStateSchema, isolationModelSchema } from './environments.ts';
import {
  configurationIdSchema,
  durationMsSchema,
  environmentIdSchema,
  secretBindingIdSchema,
  serviceIdSchema,
  serviceVersionSchema,
  targetNameSchema,
} from './names.ts';
import { limitsSchema, probeSchema, strategySchema } from './services.ts';

const manifestEnvironmentSchema = z.strictObject({
  /** Left out, the tenant's own: `<tenant>.default`. */
  id: environmentIdSchema.exactOptional(),
  name: z.string().min(1).max(100).default('default'),
  stage: z.enum(['dev', 'test', 'staging', 'prod']).default('dev'),
  region: z.string().max(60).default('local'),
  projectId: z.string().max(100).exactOptional(),
  desiredState: desiredStateSchema.default({ kind: 'applied' }),
  remediation: z.enum(['manual', 'auto']).default('manual'),
  isolationModel: isolationModelSchema.default('pool'),
  quota: z
    .strictObject({ maxServices: z.int().min(0).max(100_000), maxReplicas: z.int().min(0).max(1_000_000) })
    .default({ maxServices: 1_000, maxReplicas: 10_000 }),
});

const manifestScalingSchema = z
  .strictObject({
    minReplicas: z.int().min(0).max(10_000),
    maxReplicas: z.int().min(1).max(10_000),
    metrics: z
      .array(z.strictObject({ metric: z.string().regex(/^[a-z][a-z0-9_.-]{0,99}$/), target: z.number().positive() }))
      .min(1)
      .max(10),
    tolerancePercent: z.number().min(0).max(90).default(10),
    upCooldownMs: durationMsSchema.default(60_000),
    downCooldownMs: durationMsSchema.default(300_000),
    downStabilisationMs: durationMsSchema.default(300_000),
    concurrency: z.int().min(1).max(100_000).exactOptional(),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, 'minReplicas must not be above maxReplicas');

const manifestServiceSchema = z.strictObject({
  id: serviceIdSchema,
  moduleId: z.string().max(100).exactOptional(),
  target: targetNameSchema.default('switchyard'),
  version: serviceVersionSchema,
  limits: limitsSchema.strict().default({ minReplicas: 0, maxReplicas: 10 }),
  strategy: strategySchema.default({ kind: 'blue-green' }),
  gateMs: durationMsSchema.default(5_000),
  configuration: configurationIdSchema.exactOptional(),
  secrets: z.array(secretBindingIdSchema).max(50).default([]),
  probes: z.array(probeSchema).max(20).default([]),
  dependencies: z.array(serviceIdSchema).max(50).default([]),
  scaling: manifestScalingSchema.exactOptional(),
});

const manifestConfigurationSchema = z.strictObject({
  id: configurationIdSchema,
  values: z.record(z.string().regex(/^(?!__proto__$)[A-Za-z_][\w:.-]{0,199}$/), configurationValueSchema),
});

/** What secrets name that need no server. */
const noConnection = 'none';

const manifestSecretSchema = z
  .strictObject({
    id: secretBindingIdSchema,
    setting: z.string().regex(/^(?!__proto__$)[A-Za-z_][\w:.-]{0,199}$/),
    kind: z.enum(['postgresql-user', 'generated']).default('generated'),
    connection: z.string().min(1).max(200).default(noConnection),
    credentials: z
      .tuple([z.string().regex(/^[a-z_][a-z0-9_]{0,59}$/), z.string().regex(/^[a-z_][a-z0-9_]{0,59}$/)])
      .default(['a', 'b']),
    rotateEveryMs: durationMsSchema.min(60_000).default(30 * 24 * 60 * 60_000),
    graceMs: durationMsSchema.default(60 * 60_000),
  })
  .refine(({ kind, connection }) => kind !== 'postgresql-user' || connection !== noConnection, {
    path: ['connection'],
    message: 'must name the connection of the server whose users these are',
  });

const isUnique = (items: readonly { readonly id: string }[]): boolean =>
  new Set(items.map(({ id }) => id)).size === items.length;

export const manifestSchema = z
  .strictObject({
    apiVersion: z.literal('switchyard.dev/v1'),
    tenant: tenantIdSchema,
    environment: manifestEnvironmentSchema.prefault({}),
    services: z
      .array(manifestServiceSchema)
      .max(1_000)
      .refine(isUnique, 'each service may stand there once')
      .default([]),
    configurations: z
      .array(manifestConfigurationSchema)
      .max(1_000)
      .refine(isUnique, 'each configuration may stand there once')
      .default([]),
    secrets: z.array(manifestSecretSchema).max(1_000).refine(isUnique, 'each secret may stand there once').default([]),
  })
  .meta({ id: 'Manifest', description: 'What an environment ought to be.' });

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestService = Manifest['services'][number];
