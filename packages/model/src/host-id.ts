/** The host id, under which an app keeps its locks, timer states and receipts in storage (ScriptHostIdProvider). */
import { createHash } from 'node:crypto';

export interface HostIdSource {
  /** The setting AzureFunctionsWebHost__hostid, used as it is. */
  readonly configured?: string | undefined;
  /** The unique name of site and slot, where the app has one. */
  readonly siteName?: string | undefined;
  /** `flex` hashes the site's name instead of cutting it, so long names do not collide. */
  readonly plan?: 'flex' | undefined;
  /** The machine's name and the app's folder make the id on a developer's machine. */
  readonly machineName: string;
  readonly scriptPath: string;
}

/** Longer ids would not fit the names of queues. */
const maxLength = 32;

/** The id of the official host for the same app: lower case, at most 32 characters, no dash at its end. */
export function createHostId(source: HostIdSource): string {
  if (source.configured !== undefined && source.configured !== '') return source.configured;
  const { siteName, machineName, scriptPath } = source;
  if (siteName !== undefined && siteName !== '') return source.plan === 'flex' ? toGuid(siteName) : shorten(siteName);
  const machine = machineName.replace(/[^\p{L}\p{Nd}]/gu, '');
  return shorten(`${machine}-${Math.abs(stableHash(scriptPath))}`);
}

function shorten(id: string): string {
  return id.slice(0, maxLength).toLowerCase().replace(/-+$/, '');
}

/** A 32-bit hash over UTF-16 units that is the same in every run and on every machine. */
function stableHash(text: string): number {
  let hash = 23;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/** The MD5 of a name as .NET prints it as a GUID without dashes: the first three groups are little-endian. */
function toGuid(name: string): string {
  const hash = createHash('md5').update(name, 'utf8').digest();
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Buffer.from(order.map((index) => hash[index] ?? 0)).toString('hex');
}
