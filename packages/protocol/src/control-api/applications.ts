/** `/v1/apps` and `/v1/apps/{app}`. */
import { z } from 'zod';
import {
  applicationIdSchema,
  codeVersionSchema,
  hostNameSchema,
  revisionSchema,
  stackRequestSchema,
  stackSchema,
  tenantIdSchema,
  timeSchema,
} from './names.ts';

/** More host names than this are no app's. */
const maxHostNames = 100;

/** Creates an app or changes it. What is left out stays as it is; a new app needs a tenant and a stack. */
export const putApplicationSchema = z
  .strictObject({
    tenantId: tenantIdSchema.exactOptional(),
    hostNames: z.array(hostNameSchema).max(maxHostNames).exactOptional(),
    stack: stackRequestSchema.exactOptional(),
    /** The revision that the writer has seen; left out, the last writer wins. */
    revision: revisionSchema.exactOptional(),
  })
  .meta({ id: 'PutApplication' });

/** What the platform makes of an app at the moment. */
export const applicationStateSchema = z.enum(['empty', 'starting', 'dormant', 'active', 'draining', 'faulted']);

export const applicationSchema = z
  .object({
    applicationId: applicationIdSchema,
    tenantId: tenantIdSchema,
    hostNames: z.array(z.string()),
    stack: stackSchema,
    revision: revisionSchema,
    createdAt: timeSchema,
    state: applicationStateSchema,
    /** The version with the most traffic; left out before the first deployment. */
    codeVersion: codeVersionSchema.exactOptional(),
    workers: z.int().min(0),
    inFlight: z.int().min(0),
    /** Where the app answers over HTTP. */
    urls: z.array(z.string()),
  })
  .meta({ id: 'Application' });

export const applicationListSchema = z
  .object({
    applications: z.array(applicationSchema),
    /** Give it as `after` to read on; left out on the last page. */
    next: applicationIdSchema.exactOptional(),
  })
  .meta({ id: 'ApplicationList' });

export const listApplicationsQuerySchema = z.strictObject({
  /** Only the apps of this tenant. */
  tenant: tenantIdSchema.exactOptional(),
  /** Only apps whose name comes after this one. */
  after: applicationIdSchema.exactOptional(),
  limit: z.coerce.number().int().min(1).max(1_000).exactOptional(),
});

export type PutApplication = z.infer<typeof putApplicationSchema>;
export type ApplicationState = z.infer<typeof applicationStateSchema>;
export type ApplicationView = z.infer<typeof applicationSchema>;
export type ApplicationList = z.infer<typeof applicationListSchema>;
export type ListApplicationsQuery = z.infer<typeof listApplicationsQuerySchema>;
