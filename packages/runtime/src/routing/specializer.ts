/**
 * Decides whether a worker that was told of an app may serve it here: finds the app's JobHost, or has it made from what the
 * sidecar announces, and checks the token. The worker itself is moved by its stream.
 *
 * I1 Nothing is created before the token was found good.
 * I2 Announcements of the same app at the same time make one JobHost; one that fails leaves none.
 * I3 The token is stripped before anybody but the verifier sees the settings.
 */
import { type ErrorDetails, isPlatformError, messageOf, Secret } from '@switchyard/kernel';
import { isApplicationId, jobHostKey } from '@switchyard/model';
import {
  hostJsonVariable,
  readSpecializedClaims,
  toBearerMetadata,
  tokenVariable,
  type WorkerClaims,
  type WorkerSpecialized,
} from '@switchyard/protocol';
import type { AnnouncedApplications, RuntimeApplication, VerifyWorker } from '../contract.ts';
import { type RuntimeErrorCode, runtimeErrors } from '../errors.ts';
import type { Specialization } from '../worker-stream/stream-session.ts';

/** The JobHosts, as far as a specialization needs them. */
export interface ApplicationDirectory {
  /** The tenant of the version that is hosted; undefined when none is. */
  tenantOf(definition: WorkerClaims['application']): string | undefined;
  /** Starts a JobHost; it is there at once, or the promise rejects. */
  add(application: RuntimeApplication): Promise<unknown>;
}

export interface SpecializerDeps {
  readonly directory: ApplicationDirectory;
  readonly verify: VerifyWorker;
  /** Makes apps of announcements; without it only apps that were added are served. */
  readonly announced: AnnouncedApplications | undefined;
}

/** A stream's part in it. */
export interface SpecializeRequest {
  readonly message: WorkerSpecialized;
  /** What the stream was opened with. */
  readonly opened: WorkerClaims;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The tenant of an announced app that names none. */
const defaultTenant = 'default';

export class Specializer {
  readonly #deps: SpecializerDeps;
  /** Announcements that are being made apps of, by JobHost and code version. */
  readonly #adding = new Map<string, Promise<void>>();

  constructor(deps: SpecializerDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async decide(request: SpecializeRequest): Promise<Specialization> {
    const { message, opened } = request;
    const { workerId } = opened;
    const read = readSpecializedClaims(message, opened);
    const { application } = read;
    const key = jobHostKey(application);
    const refused = (code: RuntimeErrorCode, details: ErrorDetails = {}, cause?: unknown): Specialization => {
      return { kind: 'refused', error: runtimeErrors.create(code, { workerId, jobHostKey: key, ...details }, cause) };
    };
    const fault = faultOf(read, opened);
    if (fault !== undefined) return refused('WORKER_CONTEXT_INVALID', fault);
    const { directory, announced } = this.#deps;
    const hosted = directory.tenantOf(application);
    if (hosted === undefined && announced === undefined) return refused('WORKER_APPLICATION_UNKNOWN');
    if (hosted !== undefined && opened.tenantId !== '' && opened.tenantId !== hosted) {
      return refused('WORKER_FOREIGN', { reason: 'the app belongs to another tenant' });
    }
    const tenantId = hosted ?? (opened.tenantId === '' ? defaultTenant : opened.tenantId);
    const claims: WorkerClaims = { ...read, tenantId };
    try {
      const verdict = await this.#deps.verify(metadataFor(request), claims);
      if (verdict.kind === 'refused') {
        return refused('WORKER_TOKEN_REFUSED', { status: verdict.status.code, reason: verdict.status.message });
      }
    } catch (thrown) {
      return refused('WORKER_UNVERIFIED', { reason: messageOf(thrown) }, thrown);
    }
    if (directory.tenantOf(application) !== undefined || announced === undefined) return { kind: 'accepted', claims };
    try {
      await this.#add(announced, message, claims);
      return { kind: 'accepted', claims };
    } catch (thrown) {
      if (isPlatformError(thrown)) return { kind: 'refused', error: thrown };
      return refused('WORKER_ANNOUNCEMENT_FAILED', { reason: messageOf(thrown) }, thrown);
    }
  }

  async #add(announced: AnnouncedApplications, message: WorkerSpecialized, claims: WorkerClaims): Promise<void> {
    const { application } = claims;
    const key = `${jobHostKey(application)}:${application.codeVersion}`;
    const known = this.#adding.get(key);
    if (known !== undefined) return await known;
    const adding = this.#make(announced, message, claims);
    this.#adding.set(key, adding);
    try {
      await adding;
    } finally {
      this.#adding.delete(key);
    }
  }

  async #make(announced: AnnouncedApplications, message: WorkerSpecialized, claims: WorkerClaims): Promise<void> {
    const { directory } = this.#deps;
    const { application: definition, tenantId, language, languageVersion } = claims;
    const application = await announced({
      definition,
      tenantId,
      language,
      languageVersion,
      scriptRoot: message.functionsPath,
      settings: toSettings(message),
      hostJson: message.appSettings.get(hostJsonVariable),
    });
    const starting = directory.add(application);
    // The start goes on when this worker has come: whoever waits for it would wait for himself.
    if (directory.tenantOf(definition) === undefined) await starting;
    else starting.catch(() => {});
  }
}

/** App settings and connection strings in one, without what is for the Runtime itself. */
function toSettings({ appSettings, connectionStrings }: WorkerSpecialized): ReadonlyMap<string, string> {
  const settings = new Map([...appSettings, ...connectionStrings]);
  settings.delete(tokenVariable);
  settings.delete(hostJsonVariable);
  return settings;
}

/** The metadata of the call, with the token of the app in the place of the placeholder's. */
function metadataFor({ message, metadata }: SpecializeRequest): ReadonlyMap<string, string> {
  const token = message.appSettings.get(tokenVariable) ?? '';
  return token === '' ? metadata : new Map([...metadata, ...toBearerMetadata(new Secret(token))]);
}

/** What is wrong with a message, by name and value. */
function faultOf(claims: WorkerClaims, opened: WorkerClaims): { name: string; value: string } | undefined {
  const { applicationId, metadataVersion, codeVersion } = claims.application;
  const shown = (name: string, value: string) => ({ name, value: value.slice(0, 60) });
  if (claims.workerId !== opened.workerId) return shown('worker_id', claims.workerId);
  if (!isApplicationId(applicationId)) return shown('application_id', applicationId);
  if (metadataVersion === '') return shown('metadata_version', metadataVersion);
  if (codeVersion === '') return shown('code_version', codeVersion);
  const isOther = !opened.isPlaceholder && opened.application.applicationId !== applicationId;
  return isOther ? shown('application_id', applicationId) : undefined;
}
