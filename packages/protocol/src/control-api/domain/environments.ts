/** Environments, and the tenants that they are bound to. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import { environmentIdSchema } from './names.ts';

/** Where the manifests lie that say how the environment ought to be. */
export const desiredStateSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('git'),
    /** The folder or URL of a git repository. */
    repository: z.string().min(1).max(1_000),
    /** A branch, tag or commit. */
    ref: z
      .string()
      .regex(/^[A-Za-z0-9][\w./-]{0,199}$/)
      .default('HEAD'),
    /** The manifest within the repository. */
    path: z
      .string()
      .regex(/^(?!\/)(?!.*\.\.)[\w./-]{1,300}$/, 'must be a path within the repository')
      .default('switchyard.yaml'),
  }),
  z.strictObject({
    kind: z.literal('pulumi'),
    /** The file that `pulumi stack export` writes. */
    file: z.string().min(1).max(1_000),
  }),
  /** What was applied last is what is desired. */
  z.strictObject({ kind: z.literal('applied') }),
]);

export const isolationModelSchema = z.enum(['silo', 'pool', 'shared']);

export const environmentSchema = z
  .object({
    environmentId: environmentIdSchema,
    tenantId: tenantIdSchema,
    projectId: z.string().max(100).exactOptional(),
    name: z.string().min(1).max(100),
    /** Never changes. */
    stage: z.enum(['dev', 'test', 'staging', 'prod']),
    /** Never changes. */
    region: z.string().max(60),
    status: z.enum(['requested', 'provisioned', 'retired']),
    desiredState: desiredStateSchema,
    /** What becomes of a drift: it waits for somebody, or it is undone at once. */
    remediation: z.enum(['manual', 'auto']),
  })
  .meta({ id: 'Environment' });

export const tenantBindingSchema = z
  .object({
    environmentId: environmentIdSchema,
    tenantId: tenantIdSchema,
    isolationModel: isolationModelSchema,
    quota: z.object({ maxServices: z.int().min(0), maxReplicas: z.int().min(0) }),
  })
  .meta({ id: 'TenantBinding' });

export type DesiredStateSource = z.infer<typeof desiredStateSchema>;
export type Environment = z.infer<typeof environmentSchema>;
export type TenantBinding = z.infer<typeof tenantBindingSchema>;
