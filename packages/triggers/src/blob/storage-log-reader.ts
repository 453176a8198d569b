/**
 * Reads in the logs of a storage account which blobs were written: in a large container long before a scan comes to them.
 *
 * The account keeps logs only where that was switched on, in the container `$logs`, one folder for each hour and some minutes late. What
 * is not found here is found by the scan.
 *
 * Ownership: the scanner has one for each account, and asks it from one place at a time.
 *
 * I1 A line is told of once, however long its file grows and however often it is listed.
 * I2 Only the files of the last two hours are looked at, each up to a limit; what is known of others is forgotten.
 * I3 Where there are no logs, they are asked for seldom.
 */
import type { Clock, Random } from '@switchyard/kernel';
import { callUntilDone } from '../storage/storage-call.ts';
import type { BlobContainer, BlobItem } from './blob-client.ts';
import { type LoggedWrite, readLogLine } from './storage-log.ts';

export interface StorageLogReaderDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The container `$logs`. */
  readonly logs: BlobContainer;
}

export const logContainerName = '$logs';

const hourMs = 3_600_000;
const absentMs = 300_000;
/** Files of one hour that are looked at, and how long one may be. */
const maxFiles = 200;
const maxFileBytes = 32 * 1_048_576;
const maxTries = 1;

export class StorageLogReader {
  readonly #deps: StorageLogReaderDeps;
  /** Of each file: which version was read, and how many lines of it. */
  #read = new Map<string, { readonly etag: string; readonly lines: number }>();
  #askedAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: StorageLogReaderDeps) {
    this.#deps = deps;
  }

  /** What was written since the last time. Rejects while the logs cannot be read. */
  async writes(signal: AbortSignal): Promise<readonly LoggedWrite[]> {
    const { clock } = this.#deps;
    if (clock.monotonic() < this.#askedAgainAtMs) return [];
    const nowMs = clock.now();
    const hours = [nowMs - hourMs, nowMs].map((hour) => folderOf(hour));
    const pages = await Promise.all(hours.map((prefix) => this.#list(prefix, signal)));
    if (pages.includes(undefined)) {
      this.#askedAgainAtMs = clock.monotonic() + absentMs;
      return [];
    }
    const files = pages.flatMap((page) => page ?? []);
    const known = this.#read;
    this.#read = new Map(files.flatMap(({ name }) => (known.has(name) ? [[name, known.get(name) ?? unread]] : [])));
    const found: LoggedWrite[] = [];
    for (const file of files) found.push(...(await this.#readFile(file, signal)));
    return found;
  }

  /** Undefined when there are no logs at all. */
  async #list(prefix: string, signal: AbortSignal): Promise<readonly BlobItem[] | undefined> {
    const { logs } = this.#deps;
    const name = { operation: 'list', resource: `container '${logs.name}'` };
    const query = { maxBlobs: maxFiles, prefix, withMetadata: true };
    const page = await callUntilDone(this.#deps, name, maxTries, (abort) => logs.list(query, abort), { signal });
    return page.kind === 'missing' ? undefined : page.blobs.filter(tellsOfWrites);
  }

  async #readFile({ name: file, etag }: BlobItem, signal: AbortSignal): Promise<readonly LoggedWrite[]> {
    const { logs } = this.#deps;
    const before = this.#read.get(file) ?? unread;
    if (before.etag === etag) return [];
    const name = { operation: 'read', resource: `blob '${logs.name}/${file}'` };
    const query = { maxBytes: maxFileBytes };
    const read = await callUntilDone(this.#deps, name, maxTries, (abort) => logs.read(file, query, abort), { signal });
    if (read.kind !== 'found') return [];
    // What stands behind the last end of a line is not complete yet.
    const lines = new TextDecoder().decode(read.bytes).split('\n').slice(0, -1);
    this.#read.set(file, { etag: read.properties.etag, lines: lines.length });
    return lines.slice(before.lines).flatMap((line) => readLogLine(line.trimEnd()) ?? []);
  }
}

const unread = { etag: '', lines: 0 } as const;

/** Such as `blob/2026/01/31/1700/`. */
function folderOf(instantMs: number): string {
  const [year, month, day, hour] = new Date(instantMs).toISOString().split(/[-T:]/);
  return `blob/${year}/${month}/${day}/${hour}`;
}

/** The metadata of a file says which requests it has. */
function tellsOfWrites({ metadata }: BlobItem): boolean {
  const [, types] = [...(metadata ?? [])].find(([name]) => name.toLowerCase() === 'logtype') ?? [];
  return (types ?? '').split(',').some((type) => type.trim().toLowerCase() === 'write');
}
