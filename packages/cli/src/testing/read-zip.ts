import { crc32, inflateRawSync } from 'node:zlib';

/** A file of an archive. */
export interface ZipEntry {
  readonly path: string;
  readonly mode: number;
  /** Date and time as the archive writes them, without a zone. */
  readonly dosTime: readonly [date: number, time: number];
  readonly bytes: Buffer;
}

const signatures = { end: 0x06054b50, entry: 0x02014b50 } as const;

/** The files of a zip archive in their order. Knows what our packages use and no more; throws when a checksum is wrong. */
export function readZip(archive: Buffer): ZipEntry[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt32LE(end) !== signatures.end) throw new Error('The archive has no end.');
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let count = archive.readUInt16LE(end + 10); count > 0; count -= 1) {
    if (archive.readUInt32LE(at) !== signatures.entry) throw new Error(`No entry stands at ${at}.`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const path = archive.toString('utf8', at + 46, at + 46 + (nameLength ?? 0));
    entries.push({
      path,
      mode: archive.readUInt32LE(at + 38) >>> 16,
      dosTime: [archive.readUInt16LE(at + 14), archive.readUInt16LE(at + 12)],
      bytes: readContent(archive, at, path),
    });
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return entries;
}

function readContent(archive: Buffer, at: number, path: string): Buffer {
  const compressedBytes = archive.readUInt32LE(at + 20);
  const local = archive.readUInt32LE(at + 42);
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const bytes = inflateRawSync(archive.subarray(start, start + compressedBytes));
  if (crc32(bytes) !== archive.readUInt32LE(at + 16)) throw new Error(`'${path}' has a wrong checksum.`);
  return bytes;
}
