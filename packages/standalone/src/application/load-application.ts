import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { isPlatformError } from '@switchyard/kernel';
import {
  createSettingsView,
  type HostJson,
  isApplicationId,
  type LocalHostSettings,
  type LocalSettings,
  parseHostJson,
  parseJsonText,
  parseLocalSettings,
  type SettingsView,
  toApplicationId,
} from '@switchyard/model';
import { standaloneErrors } from '../errors.ts';
import { readAppFile, requireAppFolder } from './app-folder.ts';
import { mergeSettings } from './app-settings.ts';
import { missingBuildNote } from './missing-build.ts';
import { resolveSecrets, type SecretVault } from './secret-references.ts';
import { openSecretsFile } from './secrets-file.ts';
import { findWorkerRuntime } from './worker-runtime.ts';

/** An app in a folder, read completely. */
export interface LoadedApplication {
  readonly applicationId: string;
  readonly directory: string;
  /** The language it is written in. */
  readonly runtime: string;
  /** Settings with the environment over them, as the app's workers see them. */
  readonly values: ReadonlyMap<string, string>;
  readonly settings: SettingsView;
  /** The names in local.settings.json. */
  readonly localNames: readonly string[];
  readonly localHost: LocalHostSettings;
  /** The JSON of host.json; undefined when the app has none. */
  readonly hostJson: unknown;
  readonly host: HostJson;
  /** What the user should know about the files, one line each. */
  readonly notes: readonly string[];
}

const noLocalSettings: LocalSettings = { settings: new Map(), host: { corsOrigins: [], corsCredentials: false } };

/** Reads an app's files. Rejects with a PlatformError that names the file and the fix. */
export async function loadApplication(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedApplication> {
  await requireAppFolder(directory);
  const name = basename(directory).toLowerCase();
  const applicationId = isApplicationId(name) ? name : toApplicationId(name);
  const [localText, hostText] = await Promise.all([
    readAppFile(directory, 'local.settings.json'),
    readAppFile(directory, 'host.json'),
  ]);
  const local =
    localText === undefined ? noLocalSettings : inFile(directory, 'local.settings.json', localText, parseLocalSettings);
  const merged = mergeSettings(local.settings, environment);
  const { values, notes: secretNotes } = await resolveSecrets(merged, await openSecrets(directory, environment));
  const hostJson = hostText === undefined ? undefined : inFile(directory, 'host.json', hostText, parseJsonText);
  const where = join(directory, 'host.json');
  const host = parseHostJson(hostJson, { where, settings: values, development: true, cpus: availableParallelism() });
  const settings = createSettingsView(values);
  const { runtime, note } = await findWorkerRuntime(directory, applicationId, settings);
  const notes = [note, await missingBuildNote(directory, runtime)].filter((text) => text !== undefined);
  return {
    applicationId,
    directory,
    runtime,
    values,
    settings,
    localNames: [...local.settings.keys()],
    localHost: local.host,
    hostJson,
    host,
    notes: [...notes, ...secretNotes, ...host.warnings.map((warning) => `host.json: ${warning}`)],
  };
}

/** Azure Key Vault where the environment says so; otherwise the file beside the app. */
async function openSecrets(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SecretVault> {
  if ((environment.SWITCHYARD_AZURE_KEY_VAULT_REFERENCES ?? '') === '') return openSecretsFile(directory);
  const { openAzureSecrets } = await import('../control-plane/targets/azure-vault.ts');
  return openAzureSecrets(environment);
}

/** Parses a file's text; whatever goes wrong names the file. */
function inFile<T>(directory: string, name: string, text: string, parse: (text: string, where: string) => T): T {
  const file = join(directory, name);
  try {
    return parse(text, file);
  } catch (error) {
    if (isPlatformError(error)) throw error;
    throw standaloneErrors.create('APP_FILE_INVALID', { file, reason: String(error) }, error);
  }
}
