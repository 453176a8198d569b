/**
 * The apps of a Runtime without a catalog: each is what its sidecars bring along, and its newest version has the traffic.
 *
 * Ownership: the composition root owns it, and tells it of every change of the Runtime's JobHosts.
 *
 * I1 An app is made of what was announced alone; no setting of the Runtime's own process reaches it.
 * I2 Of the versions that have a ready worker, the one that was announced for the first time last has the traffic.
 * I3 A version that is older than the one with the traffic is taken out when it has neither workers nor work.
 * I4 There are never more than `limit` apps.
 */
import { type Log, messageOf } from '@switchyard/kernel';
import {
  type ApplicationDefinition,
  createHostId,
  createSettingsView,
  parseJsonText,
  type SettingsView,
} from '@switchyard/model';
import type {
  AnnouncedApplication,
  FunctionFiles,
  FunctionKeys,
  JobHostStatus,
  KeyStore,
  Runtime,
  RuntimeApplication,
  VersionStatus,
  WorkerProfile,
  WorkerStatus,
} from '@switchyard/runtime';
import { runtimeProcessErrors } from './errors.ts';

export interface AnnouncedAppsDeps {
  readonly log: Log;
  /** What is known of the workers of a language. */
  readonly profileOf: (language: string) => WorkerProfile;
  readonly keysOf: (applicationId: string) => Promise<FunctionKeys | undefined>;
  /** For administrators; undefined where callers need no keys. */
  readonly keyStoreOf: (applicationId: string) => KeyStore | undefined;
  readonly functionFilesOf: (scriptRoot: string) => FunctionFiles;
}

export interface AnnouncedAppsOptions {
  readonly hostNames: ReadonlyMap<string, readonly string[]>;
  readonly machineName: string;
  readonly limit: number;
  readonly oldVersionMs: number;
}

/** What is done about an app's versions. */
export type VersionStep =
  | { readonly kind: 'give-traffic'; readonly definition: ApplicationDefinition }
  | { readonly kind: 'remove'; readonly definition: ApplicationDefinition };

interface AnnouncedApp {
  /** Its versions in the order of their first announcement. */
  readonly versions: string[];
  settings: SettingsView;
}

/** Versions whose order is remembered; an app has far fewer at a time. */
const maxVersions = 100;

export class AnnouncedApps {
  readonly #deps: AnnouncedAppsDeps;
  readonly #options: AnnouncedAppsOptions;
  readonly #apps = new Map<string, AnnouncedApp>();

  constructor(deps: AnnouncedAppsDeps, options: AnnouncedAppsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The settings of an app as they were announced last. */
  settingsOf(applicationId: string): SettingsView | undefined {
    return this.#apps.get(applicationId)?.settings;
  }

  /** Makes an app. Rejects with RUNTIME_APPLICATIONS_LIMIT and RUNTIME_HOST_JSON_INVALID. */
  async make(announced: AnnouncedApplication): Promise<RuntimeApplication> {
    const { definition, language, languageVersion, scriptRoot, settings } = announced;
    const { applicationId } = definition;
    const { limit, hostNames, machineName } = this.#options;
    if (!this.#apps.has(applicationId) && this.#apps.size >= limit) {
      throw runtimeProcessErrors.create('RUNTIME_APPLICATIONS_LIMIT', { applicationId, limit });
    }
    const hostJson = parseHostText(announced);
    const keys = await this.#deps.keysOf(applicationId);
    const keyStore = this.#deps.keyStoreOf(applicationId);
    const view = createSettingsView(settings);
    this.#remember(definition, view);
    const configured = view.get('AzureFunctionsWebHost__hostid');
    return {
      definition,
      tenantId: announced.tenantId,
      stack: { runtime: language, version: languageVersion, architecture: '' },
      worker: this.#deps.profileOf(language),
      scriptRoot,
      hostJson,
      settings,
      hostId: createHostId({ configured, siteName: applicationId, machineName, scriptPath: scriptRoot }),
      functionFiles: this.#deps.functionFilesOf(scriptRoot),
      hostNames: hostNames.get(applicationId) ?? [],
      keys,
      ...(keyStore === undefined ? {} : { keyStore }),
      development: false,
    };
  }

  /** The app is not wanted any more. */
  forget(applicationId: string): void {
    this.#apps.delete(applicationId);
  }

  /** Looks at every app that has, or had, several versions: which of their workers are ready is told to nobody. */
  lookAtAll(runtime: Pick<Runtime, 'status' | 'setTraffic' | 'removeVersion'>): void {
    for (const [applicationId, { versions }] of this.#apps) if (versions.length > 1) this.look(runtime, applicationId);
  }

  /** Looks at an app's versions after a change. */
  look(runtime: Pick<Runtime, 'status' | 'setTraffic' | 'removeVersion'>, applicationId: string): void {
    const app = this.#apps.get(applicationId);
    if (app === undefined) return;
    const hosted = runtime.status(applicationId);
    for (const step of planVersions(hosted, app.versions)) {
      this.#carryOut(runtime, step).catch((thrown: unknown) => {
        const { codeVersion } = step.definition;
        const fields = { applicationId, codeVersion, step: step.kind, reason: messageOf(thrown) };
        this.#deps.log.write('warning', 'The versions of an app could not be put in order.', fields);
      });
    }
  }

  #remember(definition: ApplicationDefinition, settings: SettingsView): void {
    const app = this.#apps.get(definition.applicationId) ?? { versions: [], settings };
    const name = versionName(definition);
    if (!app.versions.includes(name)) app.versions.push(name);
    if (app.versions.length > maxVersions) app.versions.shift();
    app.settings = settings;
    this.#apps.set(definition.applicationId, app);
  }

  async #carryOut(runtime: Pick<Runtime, 'setTraffic' | 'removeVersion'>, step: VersionStep): Promise<void> {
    const { applicationId, metadataVersion, codeVersion } = step.definition;
    if (step.kind === 'remove') await runtime.removeVersion(step.definition, this.#options.oldVersionMs);
    else await runtime.setTraffic(applicationId, [{ metadataVersion, codeVersion, weight: fullWeight }]);
  }
}

/** What is to be done now; nothing when everything is as it should be. `order` names the versions, oldest first. */
export function planVersions(jobHosts: readonly JobHostStatus[], order: readonly string[]): readonly VersionStep[] {
  const versions = jobHosts.flatMap((jobHost) => jobHost.versions).filter(({ state }) => state !== 'draining');
  const ready = versions.filter(({ workers }) => workers.some(({ state }) => state === 'ready'));
  const rank = ({ definition }: VersionStatus): number => order.indexOf(versionName(definition));
  const [chosen] = ready.sort((one, other) => rank(other) - rank(one));
  if (chosen === undefined) return [];
  if (chosen.weight < fullWeight) return [{ kind: 'give-traffic', definition: chosen.definition }];
  return versions
    .filter((version) => rank(version) < rank(chosen) && version.invocations === 0 && !version.workers.some(isHere))
    .map(({ definition }) => ({ kind: 'remove', definition }));
}

const fullWeight = 100;

const goneStates: ReadonlySet<string> = new Set(['lost', 'stopped', 'abandoned']);

function isHere({ state }: WorkerStatus): boolean {
  return !goneStates.has(state);
}

function versionName({ metadataVersion, codeVersion }: ApplicationDefinition): string {
  return `${metadataVersion}:${codeVersion}`;
}

function parseHostText({ hostJson, definition: { applicationId } }: AnnouncedApplication): unknown {
  if (hostJson === undefined) return undefined;
  try {
    return parseJsonText(hostJson, 'host.json');
  } catch (thrown) {
    const reason = messageOf(thrown);
    throw runtimeProcessErrors.create('RUNTIME_HOST_JSON_INVALID', { applicationId, reason }, thrown);
  }
}
