/** One call of the control API as its handler sees it: everything read, checked and typed. */

import type { Stack } from '@switchyard/model';
import type {
  ControlEvent,
  ControlOperationId,
  ControlScope,
  controlOperations,
  PathParametersOf,
  StackRequest,
} from '@switchyard/protocol/control-api';
import type { z } from 'zod';
import type { Application } from '../catalog/contract.ts';
import type { ControlServerDeps, ControlServerOptions, ControlVerdict } from './contract.ts';
import { refuseRequest } from './problem.ts';

export type Caller = Pick<Extract<ControlVerdict, { kind: 'accepted' }>, 'subject' | 'tenants' | 'scopes'>;

type Operation<Id extends ControlOperationId> = (typeof controlOperations)[Id];

/** The query of an operation; undefined when it takes none. */
export type QueryOf<Id extends ControlOperationId> =
  Operation<Id> extends { query: infer Schema extends z.ZodType } ? z.output<Schema> : undefined;

/** The body of an operation: JSON as its schema has it, or bytes; undefined when it takes none. */
export type BodyOf<Id extends ControlOperationId> =
  Operation<Id> extends { body: infer Schema }
    ? Schema extends z.ZodType
      ? z.output<Schema>
      : AsyncIterable<Uint8Array>
    : undefined;

export interface ControlCall<Id extends ControlOperationId> {
  readonly parameters: PathParametersOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  readonly caller: Caller;
  /** Aborts when the caller is gone, the time is over, or the server drains. */
  readonly signal: AbortSignal;
  readonly deps: ControlServerDeps;
  readonly options: ControlServerOptions;
}

export type ControlReply =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'empty' }
  | { readonly kind: 'events'; readonly events: AsyncIterable<ControlEvent> }
  | {
      readonly kind: 'bytes';
      readonly type: string;
      readonly sizeBytes: number;
      readonly bytes: AsyncIterable<Uint8Array>;
    };

export type ControlHandlers<Ids extends ControlOperationId> = {
  readonly [Id in Ids]: (call: ControlCall<Id>) => ControlReply | Promise<ControlReply>;
};

export function json(value: unknown): ControlReply {
  return { kind: 'json', value };
}

export function coversTenant({ tenants }: Pick<Caller, 'tenants'>, tenantId: string): boolean {
  return tenants === '*' || tenants.includes(tenantId);
}

type ApplicationCall = Pick<ControlCall<'getApplication'>, 'deps' | 'caller' | 'parameters'>;

/** The app of the path. Another tenant's is as unknown as one that there is not. */
export function requireApplication({ deps, caller, parameters }: ApplicationCall): Application {
  const application = deps.catalog.applications.get(parameters.app);
  if (application === undefined || !coversTenant(caller, application.tenantId)) {
    return refuseRequest('APPLICATION_UNKNOWN', { applicationId: parameters.app });
  }
  return application;
}

export function requireScope({ caller }: { readonly caller: Caller }, scope: ControlScope): void {
  if (!caller.scopes.includes(scope)) refuseRequest('CONTROL_SCOPE_MISSING', { subject: caller.subject, scope });
}

/** A query parameter that is on when it stands there: `?reveal`, but not `?reveal=false`. */
export function isOn(flag: string | undefined): boolean {
  return flag !== undefined && flag !== 'false' && flag !== '0';
}

export function toStack(request: StackRequest, { defaultArchitecture }: ControlServerOptions): Stack {
  const { runtime, version = '', architecture = defaultArchitecture } = request;
  return { runtime, version, architecture };
}
