/** Which user of this machine is at the other end of a local connection, as Linux tells it. */
import { readFile } from 'node:fs/promises';

/** Reads a table of the kernel; rejects where there is none. */
export type ReadTable = (path: string) => Promise<string>;

const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
const readTable: ReadTable = (path) => readFile(path, 'latin1');

/** Columns of a line: the peer's own end, and whose socket that is. */
const [addressColumn, userColumn] = [1, 7];

/** The user's number; undefined when nobody has this end (an address and a port of IPv4), or nothing tells. */
export async function userOfPeer(peer: string, read: ReadTable = readTable): Promise<number | undefined> {
  const end = toTableEnd(peer);
  if (end === undefined) return undefined;
  for (const path of tables) {
    const table = await read(path).catch(() => '');
    for (const line of table.split('\n')) {
      const columns = line.trim().split(/\s+/);
      if (columns[addressColumn]?.endsWith(end)) return Number(columns[userColumn]);
    }
  }
  return undefined;
}

/** `127.0.0.1:80` as the tables have it: the bytes in the order of the machine, which is little-endian everywhere we run. */
function toTableEnd(peer: string): string | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)$/.exec(peer);
  if (match === null) return undefined;
  const hex = (text: string, length: number): string => Number(text).toString(16).toUpperCase().padStart(length, '0');
  const [, first = '', second = '', third = '', fourth = '', port = ''] = match;
  return `${[fourth, third, second, first].map((byte) => hex(byte, 2)).join('')}:${hex(port, 4)}`;
}
