/**
 * Which user of this machine is at the other end of a local connection, as Linux tells it.
 *
 * The kernel's tables change while they are read, so that a connection may be missing in one reading: it is looked for
 * several times before it counts as nobody's.
 */
import { readFile } from 'node:fs/promises';

/** Reads a table of the kernel; rejects where there is none. */
export type ReadTable = (path: string) => Promise<string>;

/** A connection, seen from here. */
export interface LocalConnection {
  /** The other end: an address of IPv4, and a port. */
  readonly peer: string;
  /** The port of this end. */
  readonly port: number;
}

const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
const readTable: ReadTable = (path) => readFile(path, 'latin1');
const maxReadings = 5;

/** Columns of a line: the peer's own end, this end, the state, and whose socket the peer's is. */
const columns = { own: 1, remote: 2, state: 3, user: 7 } as const;

/** A socket that was closed stays in the table for a while, and is nobody's then. */
const closedState = '06';

/** The user's number; undefined when nobody has such a connection, or nothing tells. */
export async function userOfPeer(
  connection: LocalConnection,
  read: ReadTable = readTable,
): Promise<number | undefined> {
  const ends = toTableEnds(connection);
  if (ends === undefined) return undefined;
  for (let reading = 0; reading < maxReadings; reading += 1) {
    for (const path of tables) {
      const table = await read(path).catch(() => '');
      const line = table.split('\n').find((one) => isOf(one, ends));
      if (line !== undefined) return Number(toColumns(line)[columns.user]);
    }
  }
  return undefined;
}

interface TableEnds {
  readonly own: string;
  readonly remotePort: string;
}

function isOf(line: string, { own, remotePort }: TableEnds): boolean {
  if (!line.includes(own)) return false;
  const found = toColumns(line);
  return (
    found[columns.own]?.endsWith(own) === true &&
    found[columns.remote]?.endsWith(remotePort) === true &&
    found[columns.state] !== closedState
  );
}

function toColumns(line: string): readonly string[] {
  return line.trim().split(/\s+/);
}

/** Ends as the tables have them: the bytes of an address in the order of the machine, which is little-endian everywhere we run. */
function toTableEnds({ peer, port }: LocalConnection): TableEnds | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)$/.exec(peer);
  if (match === null) return undefined;
  const hex = (value: number, length: number): string => value.toString(16).toUpperCase().padStart(length, '0');
  const [first, second, third, fourth, peerPort] = match.slice(1).map(Number);
  const address = [fourth, third, second, first].map((byte = 0) => hex(byte, 2)).join('');
  return { own: `${address}:${hex(peerPort ?? 0, 4)}`, remotePort: `:${hex(port, 4)}` };
}
