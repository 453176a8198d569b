/**
 * A sidecar's own configuration, read from the variables of its process: what a pod is started with where there is no
 * catalog and nobody who would assign anything.
 */
import { type PlatformError, Secret } from '@switchyard/kernel';
import { isApplicationId } from '@switchyard/model';
import { type Assignment, tokenVariable } from '@switchyard/protocol';
import { sidecarErrors } from './errors.ts';

/** What a sidecar process is to be. */
export interface SidecarEnvironment {
  /** The language, as worker catalogues name it. */
  readonly runtime: string;
  /** Empty for the default. */
  readonly languageVersion: string;
  /** Undefined where the composition root makes one up. */
  readonly workerId: string | undefined;
  readonly instanceId: string | undefined;
  /** Where the worker dials. */
  readonly workerPort: number;
  /** The Runtime to hang on; undefined for a placeholder that is bound late. */
  readonly runtimeEndpoint: string | undefined;
  readonly token: Secret | undefined;
  /** The app that this pod is for; undefined for a placeholder. It holds secrets. */
  readonly application: Assignment | undefined;
}

export type Variables = Readonly<Record<string, string | undefined>>;

const defaultPort = 50_051;
const defaultScriptRoot = '/home/site/wwwroot';
const defaultVersion = '1.0.0';
const defaultTenant = 'default';

/** Variables for the sidecar alone: neither the worker nor the Runtime has any use for them. */
const ownVariables: ReadonlySet<string> = new Set([
  tokenVariable,
  'RUNTIME_ENDPOINT',
  'RECONNECT_SIGNAL',
  'SIDECAR_PORT',
  'SCALECONTROLLER_ENDPOINT',
  'IS_PLACEHOLDER',
]);

/**
 * Reads the variables. Everything that is not the sidecar's own becomes a setting of the app: AzureWebJobsStorage,
 * connection strings, whatever its code reads.
 * @throws PlatformError SIDECAR_VARIABLE_MISSING, SIDECAR_VARIABLE_INVALID
 */
export function readSidecarEnvironment(variables: Variables): SidecarEnvironment {
  const runtime = required(variables, 'FUNCTIONS_WORKER_RUNTIME', 'the language of the worker, for example node');
  const runtimeEndpoint = readEndpoint(variables);
  const token = textOf(variables, tokenVariable);
  const isPlaceholder = readFlag(variables, 'IS_PLACEHOLDER') || textOf(variables, 'APPLICATION_ID') === undefined;
  const secret = token === undefined ? undefined : new Secret(token);
  return {
    runtime,
    languageVersion:
      textOf(variables, 'FUNCTIONS_WORKER_RUNTIME_VERSION') ?? textOf(variables, 'LANGUAGE_VERSION') ?? '',
    workerId: textOf(variables, 'WORKER_ID'),
    instanceId: textOf(variables, 'INSTANCE_ID'),
    workerPort: readPort(variables),
    runtimeEndpoint,
    token: secret,
    application: isPlaceholder ? undefined : readApplication(variables, secret),
  };
}

function readApplication(variables: Variables, token: Secret | undefined): Assignment {
  const applicationId = required(variables, 'APPLICATION_ID', 'the id of the app');
  if (!isApplicationId(applicationId)) {
    throw invalid('APPLICATION_ID', applicationId, 'a DNS label of at most 40 characters: a-z, 0-9 and dashes');
  }
  const environment = new Map<string, string>();
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && !ownVariables.has(name)) environment.set(name, value);
  }
  return {
    runtimeEndpoint: required(
      variables,
      'RUNTIME_ENDPOINT',
      'the address of the Runtime, for example http://runtime:50051',
    ),
    application: {
      applicationId,
      metadataVersion: textOf(variables, 'METADATA_VERSION') ?? defaultVersion,
      codeVersion: textOf(variables, 'CODE_VERSION') ?? defaultVersion,
    },
    tenantId: textOf(variables, 'TENANT_ID') ?? defaultTenant,
    content: { kind: 'folder', scriptRoot: textOf(variables, 'AzureWebJobsScriptRoot') ?? defaultScriptRoot },
    environment,
    token,
  };
}

function readEndpoint(variables: Variables): string | undefined {
  const endpoint = textOf(variables, 'RUNTIME_ENDPOINT');
  if (endpoint === undefined) return undefined;
  const isGood = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
  if (isGood) return endpoint;
  throw invalid('RUNTIME_ENDPOINT', endpoint, 'an address such as http://runtime:50051 or https://runtime');
}

function readPort(variables: Variables): number {
  const text = textOf(variables, 'SIDECAR_PORT');
  if (text === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw invalid('SIDECAR_PORT', text, 'a port from 0 to 65535');
}

function readFlag(variables: Variables, name: string): boolean {
  const text = textOf(variables, name)?.toLowerCase() ?? 'false';
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw invalid(name, text, 'true or false');
}

/** Absent and empty are the same: orchestrators cannot leave a variable out. */
function textOf(variables: Variables, name: string): string | undefined {
  const text = Object.hasOwn(variables, name) ? variables[name]?.trim() : undefined;
  return text === '' ? undefined : text;
}

function required(variables: Variables, name: string, meaning: string): string {
  const text = textOf(variables, name);
  if (text !== undefined) return text;
  throw sidecarErrors.create('SIDECAR_VARIABLE_MISSING', { name, meaning });
}

function invalid(name: string, value: string, expected: string): PlatformError {
  return sidecarErrors.create('SIDECAR_VARIABLE_INVALID', { name, value, expected });
}
