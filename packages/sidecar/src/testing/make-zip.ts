/**
 * Makes zip files byte by byte, also such as no packer would: source of the layout is PKWARE's APPNOTE 6.3 (local file
 * header, central directory header, end of central directory).
 */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  /** As it stands in the file; a slash at its end makes a folder. */
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Type and permissions as Unix has them. */
  readonly mode?: number;
  readonly deflate?: boolean;
  /** The size that the headers claim, when it is another than the real one. */
  readonly claimedBytes?: number;
}

const directoryEnd = 0x06054b50;
const directoryEntry = 0x02014b50;
const localEntry = 0x04034b50;
/** Unix, version 2.0. */
const madeBy = (3 << 8) | 20;

export function makeZip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name, 'utf8');
    const content = Buffer.from(entry.content as Uint8Array);
    const data = entry.deflate === true ? deflateRawSync(content) : content;
    const described = Buffer.alloc(26);
    described.writeUInt16LE(20, 0);
    described.writeUInt16LE(0x0800, 2);
    described.writeUInt16LE(entry.deflate === true ? 8 : 0, 4);
    described.writeUInt32LE(crc32(content), 10);
    described.writeUInt32LE(data.length, 14);
    described.writeUInt32LE(entry.claimedBytes ?? content.length, 18);
    described.writeUInt16LE(name.length, 22);
    locals.push(signature(localEntry), described, name, data);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    const version = Buffer.alloc(2);
    version.writeUInt16LE(madeBy);
    directory.push(signature(directoryEntry), version, described, more, name);
    offset += 4 + described.length + name.length + data.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directoryBytes.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directoryBytes, signature(directoryEnd), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
