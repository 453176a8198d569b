/**
 * The control API as data: what there is, who may call it, what goes in and what comes out. The server routes by this
 * table, the OpenAPI document is made from it, and clients build their paths with it.
 */
import type { z } from 'zod';
import {
  applicationListSchema,
  applicationSchema,
  listApplicationsQuerySchema,
  putApplicationSchema,
} from './applications.ts';
import type { ControlScope } from './control-scopes.ts';
import {
  createDeploymentSchema,
  deploymentListSchema,
  deploymentQuerySchema,
  deploymentSchema,
  deploymentStartedSchema,
  deploymentStepSchema,
} from './deployments.ts';
import { domainOperations, domainPathParameters } from './domain/domain-operations.ts';
import { runtimeListSchema } from './fleet.ts';
import { invokeAnswerSchema, invokeRequestSchema } from './invocation.ts';
import {
  applicationIdSchema,
  deploymentIdSchema,
  functionNameSchema,
  packageHashSchema,
  tenantIdSchema,
} from './names.ts';
import {
  debugAnswerSchema,
  debugRequestSchema,
  droppedSchema,
  logLineSchema,
  logsQuerySchema,
  traceFrameSchema,
  traceQuerySchema,
} from './observation.ts';
import { storedPackageSchema } from './packages.ts';
import { problemSchema } from './problem.ts';
import { putScaleSchema, putTenantQuotaSchema, scaleSchema, tenantQuotaViewSchema } from './scale.ts';
import { changeRolloutSchema, rolloutSchema, startRolloutSchema } from './scale-rollout.ts';
import { healthSchema, openApiDocumentSchema, publicKeysSchema } from './service.ts';
import { keysSchema, patchSettingsSchema, revealQuerySchema, settingsSchema } from './settings.ts';
import { statusSchema } from './status.ts';
import { rollbackSchema, setTrafficSchema, trafficSchema } from './traffic.ts';

/** The audience of tokens for this API. */
export const controlAudience = 'switchyard-control';

/** One operation. */
export interface ControlOperation {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** With parameters in braces; each stands for one segment. */
  readonly path: string;
  readonly summary: string;
  /** The scope that a token needs; `none` for what everybody may see. */
  readonly scope: ControlScope | 'none';
  readonly query?: z.ZodObject;
  /** A schema for JSON, or the bytes of a package. */
  readonly body?: z.ZodType | 'package';
  readonly answer: ControlAnswer;
}

export interface ControlAnswer {
  /** The status of success. */
  readonly status: 200 | 202 | 204;
  /** A schema for JSON, or the bytes of a package. */
  readonly body?: z.ZodType | 'package';
  /** Server-sent events by their names, where the answer is a stream or may be one. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
}

/** What stands for the names in braces. */
export const pathParameters: Readonly<Record<string, z.ZodType<string>>> = {
  app: applicationIdSchema,
  tenant: tenantIdSchema,
  sha256: packageHashSchema,
  id: deploymentIdSchema,
  name: functionNameSchema,
  ...domainPathParameters,
};

export const controlOperations = {
  getHealth: {
    method: 'GET',
    path: '/health',
    summary: 'Whether the control API serves.',
    scope: 'none',
    answer: { status: 200, body: healthSchema },
  },
  getPublicKeys: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that the tokens of this installation verify with.',
    scope: 'none',
    answer: { status: 200, body: publicKeysSchema },
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document.',
    scope: 'none',
    answer: { status: 200, body: openApiDocumentSchema },
  },
  listRuntimes: {
    method: 'GET',
    path: '/v1/runtimes',
    summary: 'The Runtimes of the installation, with what they host; a token sees the apps of its tenants.',
    scope: 'read',
    answer: { status: 200, body: runtimeListSchema },
  },
  putPackage: {
    method: 'PUT',
    path: '/v1/packages/{sha256}',
    summary: 'Stores a zipped app under the hash of its bytes.',
    scope: 'deploy',
    body: 'package',
    answer: { status: 200, body: storedPackageSchema },
  },
  getPackage: {
    method: 'GET',
    path: '/v1/packages/{sha256}',
    summary: 'The bytes of a stored package; HEAD tells whether it is there.',
    scope: 'read',
    answer: { status: 200, body: 'package' },
  },
  listApplications: {
    method: 'GET',
    path: '/v1/apps',
    summary: 'The apps that the token may see, in order of name.',
    scope: 'read',
    query: listApplicationsQuerySchema,
    answer: { status: 200, body: applicationListSchema },
  },
  putApplication: {
    method: 'PUT',
    path: '/v1/apps/{app}',
    summary: 'Creates an app, or changes its host names or stack.',
    scope: 'write',
    body: putApplicationSchema,
    answer: { status: 200, body: applicationSchema },
  },
  getApplication: {
    method: 'GET',
    path: '/v1/apps/{app}',
    summary: 'One app.',
    scope: 'read',
    answer: { status: 200, body: applicationSchema },
  },
  deleteApplication: {
    method: 'DELETE',
    path: '/v1/apps/{app}',
    summary: 'Ends an app and forgets its versions, settings, keys and deployments.',
    scope: 'write',
    answer: { status: 204 },
  },
  createDeployment: {
    method: 'POST',
    path: '/v1/apps/{app}/deployments',
    summary: 'Starts to deploy a stored package.',
    scope: 'deploy',
    body: createDeploymentSchema,
    answer: { status: 202, body: deploymentStartedSchema },
  },
  listDeployments: {
    method: 'GET',
    path: '/v1/apps/{app}/deployments',
    summary: 'The latest deployments of an app.',
    scope: 'read',
    answer: { status: 200, body: deploymentListSchema },
  },
  getDeployment: {
    method: 'GET',
    path: '/v1/apps/{app}/deployments/{id}',
    summary: 'One deployment; with ?watch its steps as they happen.',
    scope: 'read',
    query: deploymentQuerySchema,
    answer: { status: 200, body: deploymentSchema, events: { step: deploymentStepSchema, failed: problemSchema } },
  },
  getSettings: {
    method: 'GET',
    path: '/v1/apps/{app}/settings',
    summary: 'The settings of an app; values are masked unless ?reveal asks for them with the scope secrets.',
    scope: 'read',
    query: revealQuerySchema,
    answer: { status: 200, body: settingsSchema },
  },
  patchSettings: {
    method: 'PATCH',
    path: '/v1/apps/{app}/settings',
    summary: 'Sets and removes settings.',
    scope: 'write',
    body: patchSettingsSchema,
    answer: { status: 200, body: settingsSchema },
  },
  listKeys: {
    method: 'GET',
    path: '/v1/apps/{app}/keys',
    summary:
      'The function and host keys of an app; values are masked unless ?reveal asks for them with the scope secrets.',
    scope: 'read',
    query: revealQuerySchema,
    answer: { status: 200, body: keysSchema },
  },
  getTraffic: {
    method: 'GET',
    path: '/v1/apps/{app}/traffic',
    summary: 'How the requests of an app are shared among its versions.',
    scope: 'read',
    answer: { status: 200, body: trafficSchema },
  },
  setTraffic: {
    method: 'POST',
    path: '/v1/apps/{app}/traffic',
    summary: 'Shares the requests of an app among its versions anew.',
    scope: 'deploy',
    body: setTrafficSchema,
    answer: { status: 200, body: trafficSchema },
  },
  rollBack: {
    method: 'POST',
    path: '/v1/apps/{app}/rollback',
    summary: 'Gives all the traffic back to an earlier version.',
    scope: 'deploy',
    body: rollbackSchema,
    answer: { status: 200, body: trafficSchema },
  },
  getScale: {
    method: 'GET',
    path: '/v1/apps/{app}/scale',
    summary: 'How many workers an app may have, how many it has, and why.',
    scope: 'read',
    answer: { status: 200, body: scaleSchema },
  },
  putScale: {
    method: 'PUT',
    path: '/v1/apps/{app}/scale',
    summary: 'Says anew how far an app may scale.',
    scope: 'write',
    body: putScaleSchema,
    answer: { status: 200, body: scaleSchema },
  },
  getTenantQuota: {
    method: 'GET',
    path: '/v1/tenants/{tenant}/quota',
    summary: 'How many workers the apps of a tenant may have together, and how many they have.',
    scope: 'read',
    answer: { status: 200, body: tenantQuotaViewSchema },
  },
  putTenantQuota: {
    method: 'PUT',
    path: '/v1/tenants/{tenant}/quota',
    summary:
      'Says anew how many workers the apps of a tenant may have together. Only a token for all tenants may do that.',
    scope: 'write',
    body: putTenantQuotaSchema,
    answer: { status: 200, body: tenantQuotaViewSchema },
  },
  getRollout: {
    method: 'GET',
    path: '/v1/apps/{app}/rollout',
    summary: 'The roll-out that is under way, or the last one.',
    scope: 'read',
    answer: { status: 200, body: rolloutSchema },
  },
  startRollout: {
    method: 'POST',
    path: '/v1/apps/{app}/rollout',
    summary: 'Begins to give the traffic to another version, step by step, and back when that does not do well.',
    scope: 'deploy',
    body: startRolloutSchema,
    answer: { status: 200, body: rolloutSchema },
  },
  changeRollout: {
    method: 'PATCH',
    path: '/v1/apps/{app}/rollout',
    summary: 'Pauses, resumes, promotes or aborts the roll-out.',
    scope: 'deploy',
    body: changeRolloutSchema,
    answer: { status: 200, body: rolloutSchema },
  },
  getStatus: {
    method: 'GET',
    path: '/v1/apps/{app}/status',
    summary: 'An app with its versions, workers and functions.',
    scope: 'read',
    answer: { status: 200, body: statusSchema },
  },
  getLogs: {
    method: 'GET',
    path: '/v1/apps/{app}/logs',
    summary: 'The lines of an app; with ?follow those to come too.',
    scope: 'read',
    query: logsQuerySchema,
    answer: { status: 200, events: { line: logLineSchema, failed: problemSchema } },
  },
  invokeFunction: {
    method: 'POST',
    path: '/v1/apps/{app}/functions/{name}/invoke',
    summary: 'Calls a function once.',
    scope: 'invoke',
    body: invokeRequestSchema,
    answer: { status: 200, body: invokeAnswerSchema },
  },
  traceApplication: {
    method: 'GET',
    path: '/v1/apps/{app}/trace',
    summary: 'The frames between the workers of an app and their Runtime as they pass, without bodies.',
    scope: 'debug',
    query: traceQuerySchema,
    answer: { status: 200, events: { frame: traceFrameSchema, dropped: droppedSchema, failed: problemSchema } },
  },
  debugApplication: {
    method: 'POST',
    path: '/v1/apps/{app}/debug',
    summary: 'Opens the inspector of a worker.',
    scope: 'debug',
    body: debugRequestSchema,
    answer: { status: 200, body: debugAnswerSchema },
  },
  ...domainOperations,
} as const satisfies Readonly<Record<string, ControlOperation>>;

export type ControlOperationId = keyof typeof controlOperations;

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

/** The parameters in the path of an operation. */
export type PathParametersOf<Id extends ControlOperationId> = {
  readonly [Name in NamesIn<(typeof controlOperations)[Id]['path']>]: string;
};

/** The path of an operation with its parameters filled in and escaped. */
export function toControlPath<Id extends ControlOperationId>(id: Id, parameters: PathParametersOf<Id>): string {
  const values = new Map<string, string>(Object.entries<string>(parameters));
  return controlOperations[id].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values.get(name) ?? ''),
  );
}
