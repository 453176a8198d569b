/** Reads what the checks look at. Nothing of the app is run, and nothing is written. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import {
  createSettingsView,
  type HostJson,
  isJsonObject,
  type JsonObject,
  parseHostJson,
  parseJsonText,
  parseLocalSettings,
  resolveConnection,
} from '@switchyard/model';
import { readAppFile, requireAppFolder } from '../application/app-folder.ts';
import { mergeSettings } from '../application/app-settings.ts';
import { createFunctionFiles } from '../application/function-files.ts';
import { findWorkerRuntime } from '../application/worker-runtime.ts';
import type { AppFacts, DeclaredBinding } from './app-facts.ts';
import { sourceBindings } from './source-bindings.ts';
import { storageAddress } from './storage-address.ts';

export interface FactsDeps {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly supported: AppFacts['supported'];
  /** True when something accepts connections there. */
  readonly isListening: (host: string, port: number) => Promise<boolean>;
}

const sourcePattern = /\.(?:[cm]?[jt]s|cs|csproj|fs|fsproj)$/;
const skippedFolders = new Set([
  'node_modules',
  '.git',
  '.switchyard',
  'dist',
  'bin',
  'obj',
  '.vscode',
  'test',
  'tests',
]);
const maxSources = 2_000;
const maxSourceBytes = 1_000_000;
const maxDepth = 8;

/** Rejects with a PlatformError when the folder is no function app; what is wrong inside becomes a fact. */
export async function readAppFacts(directory: string, deps: FactsDeps): Promise<AppFacts> {
  await requireAppFolder(directory);
  const unreadable: { file: string; message: string }[] = [];
  const attempt = async <T>(file: string, read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      unreadable.push({ file, message: messageOf(error) });
      return undefined;
    }
  };
  const local = await attempt('local.settings.json', async () => {
    const text = await readAppFile(directory, 'local.settings.json');
    return text === undefined ? undefined : parseLocalSettings(text, 'local.settings.json');
  });
  const values = mergeSettings(local?.settings ?? new Map(), deps.environment);
  const settings = createSettingsView(values);
  const hostJson = await attempt('host.json', () => readJson(directory, 'host.json'));
  const host = await attempt(
    'host.json',
    (): HostJson =>
      parseHostJson(hostJson, {
        where: 'host.json',
        settings: values,
        development: true,
        cpus: availableParallelism(),
      }),
  );
  const sources = await readSources(directory);
  const declared = await readDeclared(directory, attempt);
  const inSources = [...sources].flatMap(([file, text]) => sourceBindings(file, text));
  const manifest = await attempt('package.json', () => readJson(directory, 'package.json'));
  const found = await findWorkerRuntime(directory, '', settings).catch(() => undefined);
  return {
    directory,
    runtime: found?.runtime,
    settings,
    settingNames: [...(local?.settings.keys() ?? [])],
    host,
    hostJson,
    unreadable,
    // A source of an app with function.json files is their script, in the older model.
    bindings: declared.length > 0 ? declared : inSources,
    sources,
    files: await readdir(directory),
    dependencies: dependenciesOf(manifest),
    supported: deps.supported,
    storage: await askStorage(settings, deps),
  };
}

async function readJson(directory: string, name: string): Promise<JsonObject | undefined> {
  const text = await readAppFile(directory, name);
  if (text === undefined) return undefined;
  const parsed = parseJsonText(text, name);
  return isJsonObject(parsed) ? parsed : undefined;
}

async function readDeclared(
  directory: string,
  attempt: <T>(file: string, read: () => T) => Promise<T | undefined>,
): Promise<DeclaredBinding[]> {
  const files = await createFunctionFiles(directory).list();
  const declared = await Promise.all(
    files.map(async ({ name, text }) => {
      const file = `${name}/function.json`;
      const parsed = await attempt(file, () => parseJsonText(text, file));
      const bindings = isJsonObject(parsed) && Array.isArray(parsed.bindings) ? parsed.bindings : [];
      return bindings.filter(isJsonObject).map((raw) => toBinding(name, raw, isJsonObject(parsed) ? parsed : {}));
    }),
  );
  return declared.flat();
}

function toBinding(where: string, raw: JsonObject, file: JsonObject): DeclaredBinding {
  const type = typeof raw.type === 'string' ? raw.type : '';
  const isTrigger = /trigger$/i.test(type);
  const texts = Object.values(raw).filter((value) => typeof value === 'string');
  return {
    where,
    type,
    role: isTrigger ? 'trigger' : raw.direction === 'out' ? 'output' : 'input',
    connection: [raw.connection, raw.connectionStringSetting].find((name) => typeof name === 'string'),
    settingNames: texts.flatMap((text) => [...text.matchAll(/%([^%]+)%/g)].map(([, name = '']) => name)),
    raw: isTrigger ? { ...raw, ...(file.disabled === undefined ? {} : { disabled: file.disabled }) } : raw,
  };
}

async function readSources(directory: string): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < maxDepth && !skippedFolders.has(entry.name)) await visit(path, depth + 1);
      } else if (sourcePattern.test(entry.name) && sources.size < maxSources) {
        const { size } = await stat(path);
        if (size <= maxSourceBytes) {
          sources.set(relative(directory, path).replaceAll('\\', '/'), await readFile(path, 'utf8'));
        }
      }
    }
  };
  await visit(directory, 0);
  return sources;
}

function dependenciesOf(manifest: JsonObject | undefined): readonly string[] {
  return ['dependencies', 'devDependencies'].flatMap((key) => {
    const section = manifest?.[key];
    return isJsonObject(section) ? Object.keys(section) : [];
  });
}

async function askStorage(settings: AppFacts['settings'], { isListening }: FactsDeps): Promise<AppFacts['storage']> {
  const connection = resolveConnection(settings, undefined);
  if (connection.kind !== 'connectionString') return undefined;
  const address = storageAddress(connection.value.reveal());
  if (address === undefined) return undefined;
  const isReached = await isListening(address.host, address.port);
  return { address: `${address.host}:${address.port}`, isReached };
}
