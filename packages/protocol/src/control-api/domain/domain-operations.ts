/** The operations on the records of the control plane: a part of the table of the control API. */
import { z } from 'zod';
import { tenantIdSchema, timeSchema } from '../names.ts';
import { problemSchema } from '../problem.ts';
import { collections } from './collections.ts';
import { manifestSchema } from './manifest.ts';
import {
  durationMsSchema,
  environmentIdSchema,
  secretBindingIdSchema,
  serviceIdSchema,
  serviceVersionSchema,
} from './names.ts';
import { runtimeDeploymentSchema } from './roll-outs.ts';
import { strategySchema } from './services.ts';
import { targetOperations } from './target-operations.ts';

export const collectionSchema = z.enum(collections);

const recordSchema = z.record(z.string(), z.unknown());

const listRecordsQuerySchema = z.strictObject({
  environment: environmentIdSchema.exactOptional(),
  service: serviceIdSchema.exactOptional(),
  tenant: tenantIdSchema.exactOptional(),
  /** The one with this id. */
  id: z.string().max(300).exactOptional(),
  state: z.string().max(40).exactOptional(),
});

const recordListSchema = z
  .object({ items: z.array(recordSchema) })
  .meta({ id: 'RecordList', description: 'Records of one collection; a secret stands in none of them.' });

const appliedSchema = z
  .object({ environmentId: z.string(), changed: z.array(z.string()), deploymentIds: z.array(z.string()) })
  .meta({ id: 'Applied' });

const startRollOutSchema = z
  .strictObject({
    version: serviceVersionSchema,
    strategy: strategySchema.exactOptional(),
    gateMs: durationMsSchema.exactOptional(),
  })
  .meta({ id: 'StartServiceDeployment' });

const nothingSchema = z.strictObject({}).meta({ id: 'Nothing' });

const driftDecisionSchema = z
  .strictObject({ findingId: z.string().min(1).max(128), decision: z.enum(['remediate', 'adopt']) })
  .meta({ id: 'DriftDecision' });

export const domainEventSchema = z
  .object({
    sequence: z.int(),
    /** The envelope as it was told. */
    envelope: z.looseObject({
      eventId: z.string(),
      eventType: z.string(),
      tenantId: z.string(),
      occurredAt: z.string(),
    }),
  })
  .meta({ id: 'DomainEvent' });

const listEventsQuerySchema = z.strictObject({
  /** Those after this sequence; with `follow` and without it, those to come. */
  after: z.coerce.number().int().min(0).exactOptional(),
  limit: z.coerce.number().int().min(1).max(1_000).exactOptional(),
  follow: z.string().exactOptional(),
  type: z.string().max(256).exactOptional(),
  environment: environmentIdSchema.exactOptional(),
  correlation: z.string().max(256).exactOptional(),
});

export const deadLetterSchema = z
  .object({
    deadLetterId: z.string(),
    subscription: z.string(),
    reason: z.string(),
    description: z.string(),
    deliveryCount: z.int(),
    at: timeSchema,
    envelope: recordSchema.exactOptional(),
    history: z.array(z.object({ deliveryCount: z.int(), at: timeSchema, reason: z.string(), description: z.string() })),
  })
  .meta({ id: 'DeadLetter' });

const auditSchema = z
  .object({
    items: z.array(
      z.object({
        at: timeSchema,
        actor: z.string(),
        tenantId: z.string(),
        action: z.string(),
        target: z.string(),
        outcome: z.string(),
        correlationId: z.string().exactOptional(),
      }),
    ),
  })
  .meta({ id: 'AuditTrail' });

/** What stands for the names in braces. */
export const domainPathParameters: Readonly<Record<string, z.ZodType<string>>> = {
  collection: collectionSchema,
  service: serviceIdSchema,
  secret: secretBindingIdSchema,
  letter: z.string().min(1).max(200),
  version: serviceVersionSchema,
  metric: z.string().regex(/^[a-z][a-z0-9_.-]{0,99}$/),
};

export const domainOperations = {
  ...targetOperations,
  listRecords: {
    method: 'GET',
    path: '/v1/runtime/records/{collection}',
    summary: 'Records of the control plane: environments, services, deployments, findings, ...',
    scope: 'read',
    query: listRecordsQuerySchema,
    answer: { status: 200, body: recordListSchema },
  },
  applyManifest: {
    method: 'POST',
    path: '/v1/runtime/manifests',
    summary: 'Makes a manifest what is desired of an environment.',
    scope: 'deploy',
    body: manifestSchema,
    answer: { status: 200, body: appliedSchema },
  },
  startServiceDeployment: {
    method: 'POST',
    path: '/v1/runtime/services/{service}/deployments',
    summary: 'Starts to roll a version of a service out.',
    scope: 'deploy',
    body: startRollOutSchema,
    answer: { status: 202, body: runtimeDeploymentSchema },
  },
  rollBackService: {
    method: 'POST',
    path: '/v1/runtime/services/{service}/rollback',
    summary: 'Starts to roll the version before out.',
    scope: 'deploy',
    body: nothingSchema,
    answer: { status: 202, body: runtimeDeploymentSchema },
  },
  rotateSecret: {
    method: 'POST',
    path: '/v1/runtime/secret-bindings/{secret}/rotate',
    summary: 'Asks for a new value of a secret before its time.',
    scope: 'write',
    body: nothingSchema,
    answer: { status: 204 },
  },
  decideDrift: {
    method: 'POST',
    path: '/v1/runtime/findings/decisions',
    summary: 'Has a drift undone, or takes it for what is right.',
    scope: 'deploy',
    body: driftDecisionSchema,
    answer: { status: 204 },
  },
  listEvents: {
    method: 'GET',
    path: '/v1/runtime/events',
    summary: 'What the control plane has told; with ?follow what it will tell.',
    scope: 'read',
    query: listEventsQuerySchema,
    answer: {
      status: 200,
      body: z.object({ items: z.array(domainEventSchema) }).meta({ id: 'DomainEventList' }),
      events: { event: domainEventSchema, failed: problemSchema },
    },
  },
  listDeadLetters: {
    method: 'GET',
    path: '/v1/runtime/dead-letters',
    summary: 'Events that a worker gave up on.',
    scope: 'read',
    query: z.strictObject({
      type: z.string().max(256).exactOptional(),
      reason: z.string().max(100).exactOptional(),
      after: z.string().max(200).exactOptional(),
    }),
    answer: {
      status: 200,
      body: z
        .object({ items: z.array(deadLetterSchema), next: z.string().exactOptional() })
        .meta({ id: 'DeadLetterList' }),
    },
  },
  getDeadLetter: {
    method: 'GET',
    path: '/v1/runtime/dead-letters/{letter}',
    summary: 'One dead letter with its whole envelope and history.',
    scope: 'read',
    answer: { status: 200, body: deadLetterSchema },
  },
  replayDeadLetter: {
    method: 'POST',
    path: '/v1/runtime/dead-letters/{letter}/replay',
    summary: 'Has an event that a worker gave up on handled anew.',
    scope: 'write',
    body: nothingSchema,
    answer: { status: 204 },
  },
  listAudit: {
    method: 'GET',
    path: '/v1/runtime/audit',
    summary: 'Who asked for what, newest first.',
    scope: 'read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).exactOptional() }),
    answer: { status: 200, body: auditSchema },
  },
} as const;

export type DeadLetterView = z.infer<typeof deadLetterSchema>;
export type DomainEventView = z.infer<typeof domainEventSchema>;
