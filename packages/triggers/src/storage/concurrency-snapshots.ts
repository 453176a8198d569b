/**
 * What a host found out of the concurrency of its functions, where the official host keeps it: the blob
 * `concurrency/{hostId}/concurrencyStatus.json` in the container of the host (BlobStorageConcurrencyStatusRepository).
 */
import type { Clock, Random } from '@switchyard/kernel';
import { isJsonObject, type SettingsView } from '@switchyard/model';
import type { BlobService } from '../blob/blob-client.ts';
import { findHostStorage, functionIdOf, hostContainerName } from './host-storage.ts';
import { callUntilDone } from './storage-call.ts';

/** Limits by the names of functions. Both reject while storage is away. */
export interface ConcurrencySnapshots {
  read(): Promise<ReadonlyMap<string, number>>;
  write(limits: ReadonlyMap<string, number>): Promise<void>;
}

export interface ConcurrencySnapshotDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly blobs: BlobService;
}

export interface ConcurrencySnapshotScope {
  readonly settings: SettingsView;
  readonly hostId: string;
  /** Processors of the machine, which the official host notes. */
  readonly cpus: number;
}

/** Opens what is kept for an app; undefined for one without storage. */
export type OpenConcurrencySnapshots = (scope: ConcurrencySnapshotScope) => ConcurrencySnapshots | undefined;

/** Nobody writes more there. */
const maxBytes = 1_048_576;
const maxTries = 2;

export function createConcurrencySnapshots(deps: ConcurrencySnapshotDeps): OpenConcurrencySnapshots {
  return ({ settings, hostId, cpus }) => {
    const connection = findHostStorage(settings);
    if (connection === undefined) return undefined;
    const container = deps.blobs.open(connection, hostContainerName);
    const blob = `concurrency/${hostId}/concurrencyStatus.json`;
    const resource = `blob '${hostContainerName}/${blob}'`;
    return {
      async read() {
        const name = { operation: 'read', resource };
        const read = await callUntilDone(
          deps,
          name,
          maxTries,
          (signal) => container.read(blob, { maxBytes }, signal),
          {},
        );
        return read.kind === 'found' ? parse(new TextDecoder().decode(read.bytes)) : new Map();
      },
      async write(limits) {
        const bytes = new TextEncoder().encode(JSON.stringify(toDocument(limits, cpus, deps.clock.now())));
        const write = (signal: AbortSignal) =>
          container.write(blob, bytes, { contentType: 'application/json' }, signal);
        const written = await callUntilDone(deps, { operation: 'write', resource }, maxTries, write, {});
        if (written.kind !== 'missing') return;
        await callUntilDone(
          deps,
          { operation: 'create', resource },
          maxTries,
          (signal) => container.create(signal),
          {},
        );
        await callUntilDone(deps, { operation: 'write', resource }, maxTries, write, {});
      },
    };
  };
}

function toDocument(limits: ReadonlyMap<string, number>, cpus: number, nowMs: number): unknown {
  const functions = [...limits].map(([name, limit]) => [functionIdOf(name), { Concurrency: limit }]);
  return {
    Timestamp: new Date(nowMs).toISOString(),
    NumberOfCores: cpus,
    FunctionSnapshots: Object.fromEntries(functions),
  };
}

/** What is no snapshot is none. */
function parse(json: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const prefix = functionIdOf('');
  for (const [id, snapshot] of Object.entries(snapshotsIn(json))) {
    const limit = isJsonObject(snapshot) ? snapshot.Concurrency : undefined;
    if (id.startsWith(prefix) && typeof limit === 'number' && Number.isInteger(limit) && limit > 0) {
      found.set(id.slice(prefix.length), limit);
    }
  }
  return found;
}

function snapshotsIn(json: string): object {
  try {
    const document: unknown = JSON.parse(json);
    const snapshots = isJsonObject(document) ? document.FunctionSnapshots : undefined;
    return isJsonObject(snapshots) ? snapshots : {};
  } catch {
    return {};
  }
}
