/**
 * Who a worker is, as its sidecar tells the Runtime: identity in the messages, the token in the call's metadata.
 *
 * The names are those of the worker model's WorkerContext. They travel in `properties` of
 * StartStream, and in the custom properties of the worker's metadata in WorkerConnect; there they override what the worker
 * says of itself.
 */
import type { Secret } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { StartStream, WorkerConnect, WorkerSpecialized } from './gen/function-rpc.ts';
import type { Metadata } from './transport/metadata.ts';

export interface WorkerContext {
  readonly workerId: string;
  readonly language: string;
  readonly languageVersion: string;
  /** The machine or pod. */
  readonly instanceId: string;
  /** Undefined for a placeholder. */
  readonly application: ApplicationDefinition | undefined;
  readonly tenantId: string;
  /** Counts the streams that this worker's sidecar has opened to a Runtime: a later one supersedes an earlier one. */
  readonly epoch: number;
}

/** The names of the properties. */
export const contextProperty = {
  applicationId: 'ApplicationId',
  metadataVersion: 'MetadataVersion',
  codeVersion: 'CodeVersion',
  language: 'Language',
  languageVersion: 'LanguageVersion',
  instanceId: 'InstanceId',
  isPlaceholder: 'IsPlaceholder',
  tenantId: 'TenantId',
  epoch: 'Epoch',
  /** 'true' on the stream of an app's worker that announces itself by WorkerSpecialized before it takes anything. */
  announcesApp: 'AnnouncesApp',
} as const;

/**
 * The capability of a worker that says when a function has no answer for HTTP: its invocation then has a return value, which is
 * empty. Without it nobody knows whether the answer of a streamed request is still under way.
 */
export const httpUnansweredCapability = 'TellsHttpUnanswered';

/**
 * The capability beside `HttpUri` of a worker whose sidecar takes its HTTP requests: the token that each request must show
 * as `proxy-authorization: Bearer`.
 */
export const httpUriTokenCapability = 'HttpUriToken';

/** A placeholder's versions. */
const placeholderVersion = '1.0.0';

const placeholderPrefix = '_Placeholder_';

/** What a placeholder of a language calls its app. No app can have such an id. */
export function placeholderDefinition(language: string): ApplicationDefinition {
  return {
    applicationId: `${placeholderPrefix}${language}`,
    metadataVersion: placeholderVersion,
    codeVersion: placeholderVersion,
  };
}

/** Tells a placeholder by the id of its app. */
export function isPlaceholderId(applicationId: string): boolean {
  return applicationId.startsWith(placeholderPrefix);
}

export function toContextProperties(context: WorkerContext): Map<string, string> {
  const { language } = context;
  const application = context.application ?? placeholderDefinition(language);
  return new Map([
    [contextProperty.applicationId, application.applicationId],
    [contextProperty.metadataVersion, application.metadataVersion],
    [contextProperty.codeVersion, application.codeVersion],
    [contextProperty.language, language],
    [contextProperty.languageVersion, context.languageVersion],
    [contextProperty.instanceId, context.instanceId],
    [contextProperty.isPlaceholder, String(context.application === undefined)],
    [contextProperty.tenantId, context.tenantId],
    [contextProperty.epoch, String(context.epoch)],
  ]);
}

/** What a WorkerConnect claims about its sender. Nothing of it is proved before the token was verified. */
export interface WorkerClaims {
  readonly workerId: string;
  readonly application: ApplicationDefinition;
  readonly tenantId: string;
  readonly isPlaceholder: boolean;
  readonly language: string;
  readonly languageVersion: string;
  /** 0 when the sender counts none. */
  readonly epoch: number;
}

/** What a StartStream with the properties of a WorkerContext claims about its sender. */
export function readStartStreamClaims({ workerId, properties }: StartStream): WorkerClaims {
  const text = (name: string): string => properties.get(name) ?? '';
  const applicationId = text(contextProperty.applicationId);
  return {
    workerId,
    application: {
      applicationId,
      metadataVersion: text(contextProperty.metadataVersion),
      codeVersion: text(contextProperty.codeVersion),
    },
    tenantId: text(contextProperty.tenantId),
    isPlaceholder: isTrue(text(contextProperty.isPlaceholder)),
    language: text(contextProperty.language),
    languageVersion: text(contextProperty.languageVersion),
    epoch: readEpoch(text(contextProperty.epoch)),
  };
}

/** What a WorkerSpecialized claims about a worker whose stream was opened with these claims. */
export function readSpecializedClaims(message: WorkerSpecialized, opened: WorkerClaims): WorkerClaims {
  const { applicationId, metadataVersion, codeVersion } = message;
  return {
    ...opened,
    workerId: message.workerId,
    application: { applicationId, metadataVersion, codeVersion },
    isPlaceholder: false,
    language: message.language === '' ? opened.language : message.language,
    languageVersion: message.languageVersion === '' ? opened.languageVersion : message.languageVersion,
  };
}

/** Reads the claims. The message's own fields win over the properties. */
export function readWorkerClaims(message: WorkerConnect): WorkerClaims {
  const properties = message.workerMetadata?.customProperties ?? new Map<string, string>();
  const either = (field: string, name: string): string => (field === '' ? (properties.get(name) ?? '') : field);
  return {
    workerId: message.workerId,
    application: {
      applicationId: either(message.applicationId, contextProperty.applicationId),
      metadataVersion: either(message.metadataVersion, contextProperty.metadataVersion),
      codeVersion: either(message.codeVersion, contextProperty.codeVersion),
    },
    tenantId: properties.get(contextProperty.tenantId) ?? '',
    isPlaceholder: isTrue(properties.get(contextProperty.isPlaceholder) ?? ''),
    language: either(message.language, contextProperty.language),
    languageVersion: either(message.languageVersion, contextProperty.languageVersion),
    epoch: readEpoch(properties.get(contextProperty.epoch) ?? ''),
  };
}

function isTrue(text: string): boolean {
  return /^true$/i.test(text);
}

function readEpoch(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

const authorization = 'authorization';
const bearer = 'Bearer ';

/** The metadata that shows a token. */
export function toBearerMetadata(token: Secret | undefined): Metadata {
  return token === undefined ? new Map() : new Map([[authorization, bearer + token.reveal()]]);
}

/** The token in a call's metadata; undefined when there is none. */
export function readBearerToken(metadata: Metadata): string | undefined {
  const value = metadata.get(authorization) ?? '';
  const token = value.slice(0, bearer.length).toLowerCase() === bearer.toLowerCase() ? value.slice(bearer.length) : '';
  return token.trim() === '' ? undefined : token.trim();
}
