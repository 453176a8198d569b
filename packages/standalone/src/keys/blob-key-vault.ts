/**
 * Keys of an app in the layout of the official host: `azure-webjobs-secrets/{hostid}/host.json` and `{function}.json`.
 *
 * Values that somebody else encrypted cannot be read here, and are not written over: such an app is refused its keys.
 */
import { isJsonObject, parseJsonText } from '@switchyard/model';
import { standaloneErrors } from '../errors.ts';
import { type AppKeys, type KeySet, masterKeyName } from './app-keys.ts';
import type { KeyVault } from './key-vaults.ts';

/** The blobs of one container, by name. */
export interface SecretBlobs {
  /** For people: the account and the container. */
  readonly place: string;
  list(prefix: string): Promise<readonly string[]>;
  /** Undefined when it is not there. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

/** Makes a vault for apps whose host ids are given. */
export function createBlobKeyVault(blobs: SecretBlobs, hostIdOf: (applicationId: string) => string): KeyVault {
  /** What each blob held last, so that what did not change is not written. */
  const written = new Map<string, string>();
  return {
    place: blobs.place,
    async read(applicationId) {
      const folder = `${hostIdOf(applicationId)}/`;
      const hostName = `${folder}host.json`;
      const hostText = await blobs.read(hostName);
      if (hostText === undefined) return undefined;
      const host = parseHost(hostText, hostName);
      const names = (await blobs.list(folder)).filter((name) => name.endsWith('.json') && name !== hostName);
      const functions = await Promise.all(
        names.map(async (name): Promise<[string, KeySet]> => {
          const text = (await blobs.read(name)) ?? '{}';
          const document = parseJsonText(text, name);
          checkReadable(document, name);
          return [name.slice(folder.length, -'.json'.length), keysIn(document, 'keys')];
        }),
      );
      return { ...host, functions: Object.fromEntries(functions) };
    },
    async write(applicationId, keys) {
      const folder = `${hostIdOf(applicationId)}/`;
      const documents = [
        [`${folder}host.json`, hostDocument(keys)] as const,
        ...Object.entries(keys.functions).map(
          ([name, set]) => [`${folder}${name.toLowerCase()}.json`, { keys: toDocuments(set) }] as const,
        ),
      ];
      for (const [name, document] of documents) {
        const text = JSON.stringify(document, undefined, 2);
        if (written.get(name) === text) continue;
        await blobs.write(name, text);
        written.set(name, text);
      }
    },
  };
}

function hostDocument({ master, host, system }: AppKeys): unknown {
  return {
    masterKey: { name: masterKeyName, value: master, encrypted: false },
    functionKeys: toDocuments(host),
    systemKeys: toDocuments(system),
  };
}

function toDocuments(set: KeySet): readonly unknown[] {
  return Object.entries(set).map(([name, value]) => ({ name, value, encrypted: false }));
}

function parseHost(text: string, where: string): Omit<AppKeys, 'functions'> {
  const document = parseJsonText(text, where);
  checkReadable(document, where);
  const masterKey = isJsonObject(document) ? document.masterKey : undefined;
  const master = isJsonObject(masterKey) && typeof masterKey.value === 'string' ? masterKey.value : '';
  return { master, host: keysIn(document, 'functionKeys'), system: keysIn(document, 'systemKeys') };
}

/** Throws KEYS_FILE_INVALID for what another host encrypted. */
function checkReadable(document: unknown, where: string): void {
  const lists = isJsonObject(document) ? [document.masterKey, ...Object.values(document).flat()] : [];
  if (!lists.some((item) => isJsonObject(item) && item.encrypted === true)) return;
  throw standaloneErrors.create('KEYS_FILE_INVALID', { file: where, reason: 'another host has encrypted its keys' });
}

function keysIn(document: unknown, list: string): KeySet {
  const items = isJsonObject(document) ? document[list] : undefined;
  if (!Array.isArray(items)) return {};
  return Object.fromEntries(
    items.flatMap((item) =>
      isJsonObject(item) && typeof item.name === 'string' && typeof item.value === 'string' && item.value !== ''
        ? [[item.name, item.value]]
        : [],
    ),
  );
}
