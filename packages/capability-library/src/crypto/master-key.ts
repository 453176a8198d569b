import { readFile, writeFile } from 'node:fs/promises';
import { messageOf, type Random } from '@switchyard/kernel';
import type { CapabilitySettings } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { fieldOf } from '../parameters.ts';

const masterKeyBytes = 32;
const ownerOnly = 0o600;

/**
 * The key that protects all others: from the file that the configuration names, else from a file beside the state, made
 * on first use and readable by its owner only. Without state, keys live as long as the host, and so does the master key.
 */
export async function readMasterKey(
  { name, config, statePath }: Pick<CapabilitySettings, 'name' | 'config' | 'statePath'>,
  random: Random,
): Promise<Uint8Array> {
  const file = fieldOf(config, 'masterKeyFile');
  if (file !== undefined && typeof file !== 'string')
    throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason: 'masterKeyFile is no path' });
  if (file !== undefined) return parseMasterKey(name, file, await read(name, file));
  if (statePath === null) return random.bytes(masterKeyBytes);
  const beside = `${statePath}.key`;
  const fresh = Buffer.from(random.bytes(masterKeyBytes)).toString('hex');
  try {
    await writeFile(beside, fresh, { flag: 'wx', mode: ownerOnly });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return parseMasterKey(name, beside, await read(name, beside));
}

function parseMasterKey(name: string, file: string, text: string): Uint8Array {
  const hex = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(hex)) return new Uint8Array(Buffer.from(hex, 'hex'));
  const reason = `the master key in '${file}' is not ${masterKeyBytes} bytes in hex`;
  throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason });
}

function read(name: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const reason = `the master key in '${file}' cannot be read: ${messageOf(error)}`;
    throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason }, error);
  });
}
