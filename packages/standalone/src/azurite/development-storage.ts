/** Where the three services of a storage emulator listen. */
export interface EmulatorAddresses {
  readonly host: string;
  readonly blobPort: number;
  readonly queuePort: number;
  readonly tablePort: number;
}

/** What `UseDevelopmentStorage=true` stands for in every Azure SDK. */
const standardAddresses: EmulatorAddresses = { host: '127.0.0.1', blobPort: 10000, queuePort: 10001, tablePort: 10002 };

/** The account that every emulator has. */
const emulatorAccount = 'devstoreaccount1';

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost']);

/**
 * The emulator that a setting's value asks for: `UseDevelopmentStorage=true`, or a connection string of the emulator's
 * account with endpoints on this machine. Undefined for everything else; a real account is never mistaken for one.
 */
export function emulatorOf(value: string): EmulatorAddresses | undefined {
  const parts = new Map(value.split(';').map((part) => splitOnce(part)));
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true')
    return parts.has('developmentstorageproxyuri') ? undefined : standardAddresses;
  if (parts.get('accountname') !== emulatorAccount) return undefined;
  const blob = endpointOf(parts.get('blobendpoint'));
  const queue = endpointOf(parts.get('queueendpoint'));
  const table = endpointOf(parts.get('tableendpoint'));
  const known = blob ?? queue ?? table;
  if (known === undefined) return undefined;
  // A connection string may name the services it needs only; the others get the ports beside.
  const base = blob?.port ?? (queue === undefined ? known.port - 2 : queue.port - 1);
  return {
    host: '127.0.0.1',
    blobPort: base,
    queuePort: queue?.port ?? base + 1,
    tablePort: table?.port ?? base + 2,
  };
}

function splitOnce(part: string): [string, string] {
  const equals = part.indexOf('=');
  return equals < 0
    ? [part.trim().toLowerCase(), '']
    : [part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim()];
}

/** The port of an http endpoint on this machine. */
function endpointOf(text: string | undefined): { readonly port: number } | undefined {
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || url.protocol !== 'http:' || !loopbackHosts.has(url.hostname) || url.port === '') return undefined;
  return { port: Number(url.port) };
}
