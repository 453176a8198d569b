import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import yazl from 'yazl';
import { packingErrors } from './errors.ts';
import type { PackageFile } from './list-files.ts';

/** A package that was written. */
export interface WrittenPackage {
  /** The hash of its bytes, in lower case hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * All files carry the same time, so that a package depends on names, modes and contents alone. The archive's time has no
 * zone; the local reading of this one is the same everywhere.
 */
const fixedTime = new Date(1980, 0, 1, 12, 0, 0);

/** Modes of files: what the owner may do is all that is kept, as git keeps it. */
const modes = { plain: 0o100644, executable: 0o100755 } as const;

/**
 * Writes files as a zip archive to `target`, which must not exist yet. The same files give the same bytes. Reads one
 * file at a time and holds none in memory. Rejects with a PlatformError that names the file at fault; ends with the
 * signal's reason when that aborts. What it has written stays in either case: the caller owns `target`.
 */
export async function writePackage(
  files: readonly PackageFile[],
  target: string,
  signal?: AbortSignal,
): Promise<WrittenPackage> {
  const archive = new yazl.ZipFile();
  const meter = createMeter();
  // An archive that cannot go on ends its own output, which ends the pipeline.
  const output = archive.outputStream as Transform;
  archive.on('error', (error: Error) => output.destroy(error));
  const reader: Reader = { fail: (error) => output.destroy(error), current: undefined };
  for (const file of files) addFile(archive, file, reader);
  archive.end();
  const sink = createWriteStream(target, { flags: 'wx', mode: 0o600 });
  try {
    await pipeline(output, meter.stream, sink, ...(signal === undefined ? [] : [{ signal }]));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isPlatformError(error)) throw error;
    throw packingErrors.create('PACK_TARGET_UNWRITABLE', { path: target, reason: messageOf(error) }, error);
  } finally {
    reader.current?.destroy();
  }
  return { sha256: meter.sha256(), sizeBytes: meter.sizeBytes() };
}

/** The one file that is being read, and how its failure ends the package. */
interface Reader {
  readonly fail: (error: Error) => void;
  current: ReadStream | undefined;
}

function addFile(archive: yazl.ZipFile, file: PackageFile, reader: Reader): void {
  const mode = file.isExecutable ? modes.executable : modes.plain;
  const options = { mtime: fixedTime, forceDosTimestamp: true, mode, compressionLevel: 6 };
  archive.addReadStreamLazy(file.path, options, (take) => take(undefined, openFile(file, reader)));
}

/** The bytes of a file; a file that has become longer or shorter since it was listed fails the package. */
function openFile({ source, sizeBytes }: PackageFile, reader: Reader): NodeJS.ReadableStream {
  let found = 0;
  const bytes = createReadStream(source);
  reader.current = bytes;
  bytes.on('error', (error) => {
    reader.fail(packingErrors.create('PACK_FILE_UNREADABLE', { path: source, reason: error.message }, error));
  });
  return bytes.pipe(
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        found += chunk.length;
        done(undefined, chunk);
      },
      flush(done) {
        if (found === sizeBytes) done();
        else reader.fail(packingErrors.create('PACK_FILE_CHANGED', { path: source, expected: sizeBytes, found }));
      },
    }),
  );
}

/** Counts and hashes what goes through. */
function createMeter(): { stream: Transform; sha256: () => string; sizeBytes: () => number } {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(undefined, chunk);
    },
  });
  return { stream, sha256: () => hash.digest('hex'), sizeBytes: () => sizeBytes };
}
