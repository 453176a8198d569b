/** What somebody has asked to be changed of the settings of a service. Names alone: the values wait in the vault. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import { settingNameSchema } from '../settings.ts';
import { environmentIdSchema, serviceIdSchema, targetNameSchema, timeMsSchema, traceSchema } from './names.ts';

export const settingsRequestSchema = z
  .object({
    requestId: z.string().min(1).max(200),
    serviceId: serviceIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    computeTarget: targetNameSchema,
    /** Whose values the vault has until the request is answered. */
    set: z.array(settingNameSchema),
    remove: z.array(settingNameSchema),
    /** The revision that whoever asks has seen: another one by then ends it without a change. */
    revision: z.int().min(0).exactOptional(),
    /** `applied`: read back from what runs. `failed`: what runs has what it had, for the reason given. */
    state: z.enum(['requested', 'applied', 'failed']),
    /** How it came to what runs. */
    mode: z.enum(['reloaded', 'restarted', 'restart-required']).exactOptional(),
    reason: z.string().max(1_000).exactOptional(),
    /** Of the error behind the reason, where that had one. */
    code: z.string().max(100).exactOptional(),
    createdBy: z.string().max(200),
    createdAt: timeMsSchema,
    finishedAt: timeMsSchema.exactOptional(),
    trace: traceSchema,
  })
  .meta({ id: 'SettingsRequest' });

export type SettingsRequest = z.infer<typeof settingsRequestSchema>;
