import type { StorageConnection } from '../storage/storage-connection.ts';

/** The account of the emulator. */
const developmentAccount = 'devstoreaccount1';

/** The account's name, which is part of the names of scan positions. */
export function accountNameOf(connection: StorageConnection): string {
  const parts = new Map(connection.connectionString.reveal().split(';').map(toPart));
  const named = parts.get('accountname');
  if (named !== undefined && named !== '') return named;
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') return developmentAccount;
  // With a shared access signature the account is only in the address: the first part of the host or, of a local one, the
  // path.
  const url = URL.parse(parts.get('blobendpoint') ?? connection.queueEndpoint);
  if (url === null) return developmentAccount;
  const isPathStyle = /^(?:localhost|\[.*\]|\d+\.\d+\.\d+\.\d+)$/.test(url.hostname);
  const name = isPathStyle ? url.pathname.split('/')[1] : url.hostname.split('.')[0];
  return name === undefined || name === '' ? developmentAccount : name;
}

function toPart(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const end = equals < 0 ? text.length : equals;
  return [text.slice(0, end).trim().toLowerCase(), text.slice(end + 1).trim()];
}
