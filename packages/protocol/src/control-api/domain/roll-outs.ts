/** The roll-out of one version of a service: a RuntimeDeployment. */
import { z } from 'zod';
import { tenantIdSchema } from '../names.ts';
import {
  configurationIdSchema,
  environmentIdSchema,
  serviceIdSchema,
  serviceVersionSchema,
  targetNameSchema,
  timeMsSchema,
  traceSchema,
} from './names.ts';
import { limitsSchema, shareSchema, strategySchema } from './services.ts';

export const rollOutStateSchema = z.enum([
  'requested',
  'provisioning',
  'configuring',
  'rolling-out',
  'health-gating',
  'promoting',
  'completed',
  'rolling-back',
  'rolled-back',
  'failed',
]);

export const rollOutStepSchema = z.object({
  /** `provision`, `configure`, `shift-0`, `gate-0`, ..., `promote`, `share`, `roll-back`, `clean-up`. */
  name: z.string().max(40),
  at: timeMsSchema,
  attempt: z.int().min(1),
  message: z.string().max(1_000).exactOptional(),
});

export const runtimeDeploymentSchema = z
  .object({
    deploymentId: z.string().min(1).max(100),
    tenantId: tenantIdSchema,
    environmentId: environmentIdSchema,
    serviceId: serviceIdSchema,
    computeTarget: targetNameSchema,
    version: serviceVersionSchema,
    /**
     * `restart` brings up what runs already, anew: after a change of a secret or of what cannot be reloaded. `traffic`
     * shares the requests among versions that are there, as somebody has asked.
     */
    mode: z.enum(['roll-out', 'restart', 'traffic']),
    /** With the mode `traffic`: what was asked for. */
    traffic: z
      .object({
        shares: z.array(shareSchema).min(1).max(10),
        reason: z.enum(['traffic', 'rollback']),
        /** The revision that whoever asks has seen: another one by then ends it without a change. */
        revision: z.int().min(0).exactOptional(),
      })
      .exactOptional(),
    /** How the requests were shared before, where the mode is `traffic`. */
    previousShares: z.array(shareSchema).exactOptional(),
    /** What it is for, when a worker has asked for it: one cause is answered once. */
    causeKey: z.string().max(300).exactOptional(),
    /** Limits that it brings; those of the specification when left out. */
    limits: limitsSchema.exactOptional(),
    strategy: strategySchema,
    gateMs: z.int().min(0),
    configurationId: configurationIdSchema.exactOptional(),
    /** The version that had the traffic before, and gets it back when the gate fails. */
    previousVersion: serviceVersionSchema.exactOptional(),
    previousDeploymentId: z.string().max(100).exactOptional(),
    state: rollOutStateSchema,
    /** Which step of the roll-out it is at, and since when. */
    stage: z.object({ index: z.int().min(0), since: timeMsSchema }),
    steps: z.array(rollOutStepSchema).max(200),
    /** Failed tries of the present step. */
    attempts: z.int().min(0),
    reason: z.string().max(1_000).exactOptional(),
    /** Of the error behind the reason, where that had one. */
    code: z.string().max(100).exactOptional(),
    createdBy: z.string().max(200),
    createdAt: timeMsSchema,
    finishedAt: timeMsSchema.exactOptional(),
    trace: traceSchema,
  })
  .meta({ id: 'RuntimeDeployment' });

export type RollOutState = z.infer<typeof rollOutStateSchema>;
export type RollOutStep = z.infer<typeof rollOutStepSchema>;
export type RuntimeDeployment = z.infer<typeof runtimeDeploymentSchema>;
