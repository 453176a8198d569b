/** Finding the connection that a binding names (WebJobs configuration extensions). */
import { Secret } from '@switchyard/kernel';
import type { SettingsView } from './settings.ts';

/** What a connection name stands for. */
export type Connection =
  | {
      readonly kind: 'connectionString';
      /** The setting that held it, for messages. */
      readonly settingName: string;
      readonly value: Secret;
    }
  /** An identity: members such as `serviceuri`, `fullyqualifiednamespace`, `clientid`, by their names in lower case. */
  | {
      readonly kind: 'identity';
      readonly settingName: string;
      readonly members: ReadonlyMap<string, Secret>;
    }
  /** No setting has any of these names. */
  | { readonly kind: 'missing'; readonly name: string; readonly tried: readonly string[] };

/**
 * Looks for a connection as the official host does: with the prefix `AzureWebJobs` first and then as written, each of
 * them first among the connection strings and then among the settings. A setting that has members instead of a value,
 * such as `Orders__serviceUri`, is an identity. An empty value counts as none.
 */
export function resolveConnection(
  settings: SettingsView,
  name: string | undefined,
  defaultName = 'AzureWebJobsStorage',
): Connection {
  const wanted = name === undefined || name.trim() === '' ? defaultName : name;
  const tried = [`AzureWebJobs${wanted}`, wanted].flatMap((candidate) => [`ConnectionStrings:${candidate}`, candidate]);
  for (const settingName of tried) {
    const value = settings.get(settingName);
    if (value !== undefined && value !== '') return { kind: 'connectionString', settingName, value: new Secret(value) };
    const members = [...settings.section(settingName)].filter(([, member]) => member !== '');
    if (members.length > 0) {
      return { kind: 'identity', settingName, members: new Map(members.map(([key, text]) => [key, new Secret(text)])) };
    }
  }
  return { kind: 'missing', name: wanted, tried };
}
