/** `/v1/apps/{app}/deployments`: from a stored package to a version that serves. */
import { z } from 'zod';
import {
  applicationIdSchema,
  codeVersionSchema,
  deploymentIdSchema,
  packageHashSchema,
  stackRequestSchema,
  timeSchema,
} from './names.ts';
import { problemSchema } from './problem.ts';

export const createDeploymentSchema = z
  .strictObject({
    sha256: packageHashSchema,
    /** What the version runs on; left out, the app's own stack. */
    stack: stackRequestSchema.exactOptional(),
    /** What people should know of it. */
    message: z.string().max(1_000).exactOptional(),
    /** False leaves the version without traffic, once it is ready. True when left out. */
    promote: z.boolean().exactOptional(),
  })
  .meta({ id: 'CreateDeployment' });

/** In this order; `promoted` and `failed` are the last, and `ready` is for a deployment that is not to be promoted. */
export const deploymentStepNameSchema = z.enum(['stored', 'indexed', 'starting', 'ready', 'promoted', 'failed']);

export const deploymentStepSchema = z
  .object({
    name: deploymentStepNameSchema,
    at: timeSchema,
    /** What there is to say, for example how many functions were found. */
    message: z.string().exactOptional(),
    /** With `failed`. */
    problem: problemSchema.exactOptional(),
  })
  .meta({ id: 'DeploymentStep' });

export const deploymentStateSchema = z.enum(['running', 'succeeded', 'failed']);

export const deploymentSchema = z
  .object({
    deploymentId: deploymentIdSchema,
    applicationId: applicationIdSchema,
    codeVersion: codeVersionSchema,
    sha256: packageHashSchema,
    message: z.string(),
    promote: z.boolean(),
    /** The subject of the token that asked for it. */
    createdBy: z.string(),
    createdAt: timeSchema,
    state: deploymentStateSchema,
    steps: z.array(deploymentStepSchema),
  })
  .meta({ id: 'Deployment' });

export const deploymentListSchema = z
  .object({
    /** Newest first; old ones are forgotten. */
    deployments: z.array(deploymentSchema),
  })
  .meta({ id: 'DeploymentList' });

/** Answer of the request that starts one. */
export const deploymentStartedSchema = z
  .object({ deploymentId: deploymentIdSchema, codeVersion: codeVersionSchema })
  .meta({ id: 'DeploymentStarted' });

/** `?watch` answers with events `step`, past ones first, and ends after the last. */
export const deploymentQuerySchema = z.strictObject({ watch: z.string().exactOptional() });

export type CreateDeployment = z.infer<typeof createDeploymentSchema>;
export type DeploymentStepName = z.infer<typeof deploymentStepNameSchema>;
export type DeploymentStep = z.infer<typeof deploymentStepSchema>;
export type DeploymentState = z.infer<typeof deploymentStateSchema>;
export type Deployment = z.infer<typeof deploymentSchema>;
export type DeploymentList = z.infer<typeof deploymentListSchema>;
export type DeploymentStarted = z.infer<typeof deploymentStartedSchema>;
