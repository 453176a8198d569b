/** Versioned configuration of services, and where which version has arrived. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import {
  configurationIdSchema,
  environmentIdSchema,
  secretBindingIdSchema,
  serviceIdSchema,
  timeMsSchema,
} from './names.ts';

/** A value, or the secret that it is taken from. Never a secret itself. */
export const configurationValueSchema = z.union([
  z.string().max(32_768),
  z.strictObject({ secret: secretBindingIdSchema }),
]);

export const runtimeConfigurationSchema = z
  .object({
    configurationId: configurationIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    /** Grows by one with every publication. */
    version: z.int().min(1),
    values: z.record(z.string().regex(/^(?!__proto__$)[A-Za-z_][\w:.-]{0,199}$/), configurationValueSchema),
    /** The services that get it. */
    serviceIds: z.array(serviceIdSchema).max(1_000),
    publishedAt: timeMsSchema,
    publishedBy: z.string().max(200),
  })
  .meta({ id: 'RuntimeConfiguration' });

/** What has become of a configuration at one service. */
export const configurationSyncSchema = z
  .object({
    configurationId: configurationIdSchema,
    serviceId: serviceIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    /** The version that was read back from the running service; 0 as long as none was. */
    version: z.int().min(0),
    hash: z.string().max(128),
    /** `restart-required`: the target has it, and only a restart brings it to the running service. */
    mode: z.enum(['reloaded', 'restarted', 'restart-required']),
    at: timeMsSchema,
    /** Why the latest version has not arrived. */
    failure: z.string().max(1_000).exactOptional(),
  })
  .meta({ id: 'ConfigurationSync' });

export type ConfigurationValue = z.infer<typeof configurationValueSchema>;
export type RuntimeConfiguration = z.infer<typeof runtimeConfigurationSchema>;
export type ConfigurationSync = z.infer<typeof configurationSyncSchema>;
