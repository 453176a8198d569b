/**
 * This platform as a compute target, for workers of the control plane that run in processes of their own. They alone have
 * the scope for it: everybody else asks the workers, who then do it in order, with a record of it.
 */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import { settingNameSchema, settingValueSchema } from '../settings.ts';
import { serviceIdSchema, serviceVersionSchema } from './names.ts';
import { limitsSchema, observedServiceSchema, shareSchema } from './services.ts';

/** In whose name the worker acts: a service of another tenant is not touched. */
const ofTenant = { tenantId: tenantIdSchema };

const settingValuesSchema = z.record(settingNameSchema, settingValueSchema);

const servicePath = '/v1/target/services/{service}';

export const targetOperations = {
  listTargetServices: {
    method: 'GET',
    path: '/v1/target/services',
    summary: 'What runs here, in pages.',
    scope: 'target',
    query: z.strictObject({ after: serviceIdSchema.exactOptional() }),
    answer: {
      status: 200,
      body: z
        .object({ items: z.array(observedServiceSchema), next: serviceIdSchema.exactOptional() })
        .meta({ id: 'TargetServices' }),
    },
  },
  getTargetService: {
    method: 'GET',
    path: servicePath,
    summary: 'One service as it runs here.',
    scope: 'target',
    answer: { status: 200, body: observedServiceSchema.meta({ id: 'TargetService' }) },
  },
  provisionVersion: {
    method: 'POST',
    path: `${servicePath}/versions`,
    summary: 'Brings a version up without traffic; answers under-way when that takes longer than a call may.',
    scope: 'target',
    body: z.strictObject({ ...ofTenant, version: serviceVersionSchema }).meta({ id: 'ProvisionVersion' }),
    answer: {
      status: 200,
      body: z
        .object({ kind: z.enum(['ready', 'failed', 'under-way']), reason: z.string().exactOptional() })
        .meta({ id: 'Provisioned' }),
    },
  },
  getVersionHealth: {
    method: 'GET',
    path: `${servicePath}/versions/{version}`,
    summary: 'How a version does since it has traffic.',
    scope: 'target',
    answer: {
      status: 200,
      body: z.object({ health: z.enum(['healthy', 'unhealthy', 'unknown']) }).meta({ id: 'VersionHealth' }),
    },
  },
  retireVersion: {
    method: 'DELETE',
    path: `${servicePath}/versions/{version}`,
    summary: 'Takes a version without traffic away.',
    scope: 'target',
    query: z.strictObject({ tenant: tenantIdSchema }),
    answer: { status: 204 },
  },
  shareTargetTraffic: {
    method: 'PUT',
    path: `${servicePath}/traffic`,
    summary: 'Shares the requests of a service among its versions.',
    scope: 'target',
    body: z
      .strictObject({
        ...ofTenant,
        shares: z.array(shareSchema).min(1).max(10),
        reason: z.enum(['deployment', 'traffic', 'rollback']).exactOptional(),
        revision: z.int().min(0).exactOptional(),
      })
      .meta({ id: 'ShareTargetTraffic' }),
    answer: { status: 204 },
  },
  setTargetLimits: {
    method: 'PUT',
    path: `${servicePath}/limits`,
    summary: 'Says within which limits a service scales.',
    scope: 'target',
    body: z.strictObject({ ...ofTenant, limits: limitsSchema }).meta({ id: 'SetTargetLimits' }),
    answer: { status: 204 },
  },
  applyTargetSettings: {
    method: 'PATCH',
    path: `${servicePath}/settings`,
    summary: 'Brings settings to what runs.',
    scope: 'target',
    body: z
      .strictObject({
        ...ofTenant,
        set: settingValuesSchema,
        remove: z.array(settingNameSchema).exactOptional(),
        revision: z.int().min(0).exactOptional(),
      })
      .meta({ id: 'ApplyTargetSettings' }),
    answer: {
      status: 200,
      body: z
        .object({ outcome: z.enum(['reloaded', 'restarted', 'restart-required']) })
        .meta({ id: 'SettingsOutcome' }),
    },
  },
  readTargetSettings: {
    method: 'POST',
    path: `${servicePath}/settings`,
    summary: 'Reads settings back from what runs; their values in clear.',
    scope: 'target',
    body: z.strictObject({ names: z.array(settingNameSchema).max(2_000) }).meta({ id: 'ReadTargetSettings' }),
    answer: { status: 200, body: z.object({ values: settingValuesSchema }).meta({ id: 'TargetSettings' }) },
  },
  restartTargetService: {
    method: 'POST',
    path: `${servicePath}/restart`,
    summary: 'Replaces what runs by the same, anew.',
    scope: 'target',
    body: z.strictObject(ofTenant).meta({ id: 'RestartTargetService' }),
    answer: { status: 204 },
  },
  readMeasurement: {
    method: 'GET',
    path: `${servicePath}/measurements/{metric}`,
    summary: 'What a metric is at the moment, per replica; nothing where it is not measured.',
    scope: 'target',
    answer: { status: 200, body: z.object({ value: z.number().exactOptional() }).meta({ id: 'Measurement' }) },
  },
} as const;
