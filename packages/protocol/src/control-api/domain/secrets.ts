/** Secrets that services use, and where their rotation stands. The values are in the vault alone. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import {
  durationMsSchema,
  environmentIdSchema,
  secretBindingIdSchema,
  serviceIdSchema,
  timeMsSchema,
} from './names.ts';

export const secretBindingSchema = z
  .object({
    secretBindingId: secretBindingIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    /** Whose setting gets the value. */
    serviceIds: z.array(serviceIdSchema).max(100),
    settingName: z.string().regex(/^(?!__proto__$)[A-Za-z_][\w:.-]{0,199}$/),
    /** What is rotated: the name of a rotation target, and the two credentials there of which one is in use. */
    target: z.object({
      kind: z.enum(['postgresql-user', 'generated']),
      /** The name of a connection that the installation knows; it holds no secret. */
      connection: z.string().max(200),
      credentials: z.tuple([z.string().max(60), z.string().max(60)]),
    }),
    rotateEveryMs: durationMsSchema,
    /** How long the old credential stays good after the new one was verified. */
    graceMs: durationMsSchema,
  })
  .meta({ id: 'SecretBinding' });

export const secretRotationSchema = z
  .object({
    secretBindingId: secretBindingIdSchema,
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    state: z.enum(['idle', 'creating', 'binding', 'verifying', 'retiring']),
    /** The vault's version that the services use, which tells the credential too; 0 before the first rotation. */
    version: z.int().min(0),
    /** The version that is under way. */
    pendingVersion: z.int().min(1).exactOptional(),
    rotatedAt: timeMsSchema,
    /** When the old credential may go. */
    retireAt: timeMsSchema.exactOptional(),
    failures: z.int().min(0),
    reason: z.string().max(1_000).exactOptional(),
    /** Services that only a restart brings to the version in use. */
    restarts: z.array(serviceIdSchema).max(100),
  })
  .meta({ id: 'SecretRotation' });

export type SecretBinding = z.infer<typeof secretBindingSchema>;
export type SecretRotation = z.infer<typeof secretRotationSchema>;
