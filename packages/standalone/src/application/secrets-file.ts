/**
 * The vault of a developer's machine: `local.secrets.json` beside local.settings.json, `{"<vault>": {"<secret>": "<value>"}}`.
 * Names are compared without regard to case, as in the service; a version is not looked at, since there is only one.
 */
import { isJsonObject, parseJsonText } from '@switchyard/model';
import { standaloneErrors } from '../errors.ts';
import { readAppFile } from './app-folder.ts';
import type { SecretVault } from './secret-references.ts';

export const secretsFileName = 'local.secrets.json';

/** Opens the file of an app; it is read when the first secret is wanted. */
export function openSecretsFile(directory: string): SecretVault {
  let vaults: Promise<ReadonlyMap<string, string>> | undefined;
  return {
    async read({ vault, secret }) {
      vaults ??= readVaults(directory);
      return (await vaults).get(keyOf(vault, secret));
    },
  };
}

async function readVaults(directory: string): Promise<ReadonlyMap<string, string>> {
  const text = await readAppFile(directory, secretsFileName);
  if (text === undefined) {
    throw standaloneErrors.create('APP_FILE_INVALID', { file: secretsFileName, reason: 'it is not there' });
  }
  const parsed = parseJsonText(text, secretsFileName);
  const vaults = isJsonObject(parsed) ? Object.entries(parsed) : [];
  return new Map(
    vaults.flatMap(([vault, secrets]) =>
      isJsonObject(secrets)
        ? Object.entries(secrets).flatMap(([secret, value]) =>
            typeof value === 'string' ? [[keyOf(vault, secret), value] as const] : [],
          )
        : [],
    ),
  );
}

function keyOf(vault: string, secret: string): string {
  return `${vault}/${secret}`.toLowerCase();
}
