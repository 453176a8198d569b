/**
 * What a placeholder is told to become: the body of `POST /assign` on a sidecar, and the same value for a sidecar in the
 * same process.
 */
import { type PlatformError, Secret } from '@switchyard/kernel';
import { type ApplicationDefinition, isApplicationId } from '@switchyard/model';

/** An app for a placeholder. `environment` holds the customer's secrets: never log it. */
export interface Assignment {
  /** Where the app's Runtime takes workers: `http://host:port`. */
  readonly runtimeEndpoint: string;
  readonly application: ApplicationDefinition;
  readonly tenantId: string;
  readonly content: AppContent;
  /** The whole environment of the specialized worker. */
  readonly environment: ReadonlyMap<string, string>;
  /** What the sidecar shows to the Runtime. It never reaches the worker. */
  readonly token: Secret | undefined;
}

/** Where the app's files are: a folder that the worker can see, or a package to be fetched first. */
export type AppContent =
  | { readonly kind: 'folder'; readonly scriptRoot: string }
  | {
      readonly kind: 'package';
      readonly url: string;
      readonly sha256: string;
      /** What its store asks for; shown to the store alone. */
      readonly token?: Secret | undefined;
    };

/** What became of an assignment. */
export type AssignOutcome =
  /** The Runtime has taken the worker. */
  | { readonly kind: 'assigned' }
  /** Nothing was done: the worker is not warm yet, or serves another app already. */
  | { readonly kind: 'refused'; readonly error: PlatformError }
  /** It went wrong. A tainted worker has seen the customer's data: it ends, and never serves anybody. */
  | { readonly kind: 'failed'; readonly error: PlatformError; readonly tainted: boolean };

export type AssignmentReading =
  | { readonly kind: 'parsed'; readonly assignment: Assignment }
  | {
      readonly kind: 'invalid';
      /** The path of the value at fault; the value itself may be a secret and is not shown. */
      readonly key: string;
      readonly expected: string;
    };

/** The variable in which an environment may carry the token. */
export const tokenVariable = 'WORKER_AUTH_TOKEN';

/** The app setting in which WorkerSpecialized carries the text of host.json, for Runtimes that do not see the app's folder. */
export const hostJsonVariable = 'SWITCHYARD_HOST_JSON';

/** More variables than this are no environment. */
const maxVariables = 10_000;

/** Reads the JSON of an assignment. Values are not quoted in the answer: they may be secrets. */
export function parseAssignment(json: unknown): AssignmentReading {
  try {
    return { kind: 'parsed', assignment: readAssignment(recordAt(json, '$')) };
  } catch (thrown) {
    if (thrown instanceof Misfit) return { kind: 'invalid', key: thrown.key, expected: thrown.expected };
    throw thrown;
  }
}

/** The JSON of an assignment, for the one who posts it. It holds secrets. */
export function toAssignmentJson(assignment: Assignment): Record<string, unknown> {
  const { application, tenantId, content, token } = assignment;
  return {
    runtimeEndpoint: assignment.runtimeEndpoint,
    application: {
      id: application.applicationId,
      metadataVersion: application.metadataVersion,
      codeVersion: application.codeVersion,
      tenantId,
    },
    ...(content.kind === 'folder' ? { scriptRoot: content.scriptRoot } : { package: toPackageJson(content) }),
    environment: Object.fromEntries(assignment.environment),
    ...(token === undefined ? {} : { token: token.reveal() }),
  };
}

function toPackageJson({ url, sha256, token }: Extract<AppContent, { kind: 'package' }>): Record<string, string> {
  return { url, sha256, ...(token === undefined ? {} : { token: token.reveal() }) };
}

class Misfit extends Error {
  readonly key: string;
  readonly expected: string;

  constructor(key: string, expected: string) {
    super(`${key} must be ${expected}`);
    this.key = key;
    this.expected = expected;
  }
}

type JsonRecord = Readonly<Record<string, unknown>>;

function readAssignment(body: JsonRecord): Assignment {
  const app = recordAt(body.application, 'application');
  const applicationId = textAt(app.id, 'application.id');
  if (!isApplicationId(applicationId)) {
    throw new Misfit('application.id', 'a DNS label of at most 40 characters: a-z, 0-9 and dashes');
  }
  const environment = readEnvironment(body.environment);
  const token = body.token === undefined ? environment.get(tokenVariable) : textAt(body.token, 'token');
  environment.delete(tokenVariable);
  return {
    runtimeEndpoint: textAt(body.runtimeEndpoint, 'runtimeEndpoint'),
    application: {
      applicationId,
      metadataVersion: textAt(app.metadataVersion, 'application.metadataVersion'),
      codeVersion: textAt(app.codeVersion, 'application.codeVersion'),
    },
    tenantId: textAt(app.tenantId, 'application.tenantId'),
    content: readContent(body),
    environment,
    token: token === undefined ? undefined : new Secret(token),
  };
}

function readContent(body: JsonRecord): AppContent {
  if (body.package === undefined) return { kind: 'folder', scriptRoot: textAt(body.scriptRoot, 'scriptRoot') };
  if (body.scriptRoot !== undefined) throw new Misfit('scriptRoot', 'left out when there is a package');
  const { url, sha256, token } = recordAt(body.package, 'package');
  const hash = textAt(sha256, 'package.sha256').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new Misfit('package.sha256', '64 hexadecimal digits');
  const address = textAt(url, 'package.url');
  if (token === undefined) return { kind: 'package', url: address, sha256: hash };
  return { kind: 'package', url: address, sha256: hash, token: new Secret(textAt(token, 'package.token')) };
}

function readEnvironment(value: unknown): Map<string, string> {
  const environment = new Map<string, string>();
  if (value === undefined) return environment;
  const entries = Object.entries(recordAt(value, 'environment'));
  if (entries.length > maxVariables) throw new Misfit('environment', `an object of at most ${maxVariables} texts`);
  for (const [name, text] of entries) {
    if (typeof text !== 'string') throw new Misfit(`environment.${name}`, 'a text');
    environment.set(name, text);
  }
  return environment;
}

function recordAt(value: unknown, key: string): JsonRecord {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonRecord;
  throw new Misfit(key, 'an object');
}

function textAt(value: unknown, key: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Misfit(key, 'a text that is not empty');
}
