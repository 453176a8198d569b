/**
 * Timer status in the app's own storage, where the official host keeps it: `timers/{hostId}/Host.Functions.{name}/status` in
 * the container of the host (its StorageScheduleMonitor). So an app that moves between hosts misses nothing.
 */
import { messageOf } from '@switchyard/kernel';
import { isJsonObject, type JsonObject } from '@switchyard/model';
import { triggerErrors } from '../errors.ts';
import { functionIdOf, hostContainerName } from '../storage/host-storage.ts';
import { type CallDeps, callUntilDone } from '../storage/storage-call.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import type { TimerStatus } from '../timer/timer-status.ts';
import type { TimerKey, TimerStatusStore } from '../timer/timer-status-store.ts';
import type { BlobService } from './blob-client.ts';

export interface BlobTimerStatusDeps extends CallDeps {
  readonly blobs: BlobService;
}

/** How .NET writes a time that never was. */
const neverText = '0001-01-01T00:00:00';

/** Nobody writes more there. */
const maxBytes = 10_000;

/** Tries per request: a timer waits ten seconds for its status at most. */
const maxTries = 3;

/** Keeps the statuses of the apps that have this storage. */
export function createBlobTimerStatus(deps: BlobTimerStatusDeps, connection: StorageConnection): TimerStatusStore {
  const hosts = deps.blobs.open(connection, hostContainerName);
  const callName = (operation: string, blob: string) => ({ operation, resource: `blob '${hosts.name}/${blob}'` });
  return {
    async read(key, signal) {
      const blob = blobNameOf(key);
      const name = callName('read', blob);
      const read = await callUntilDone(deps, name, maxTries, (abort) => hosts.read(blob, { maxBytes }, abort), {
        signal,
      });
      return read.kind === 'found' ? parse(new TextDecoder().decode(read.bytes), blob) : undefined;
    },
    async write(key, status) {
      const blob = blobNameOf(key);
      const bytes = new TextEncoder().encode(format(status));
      const write = () =>
        callUntilDone(deps, callName('write', blob), maxTries, (signal) => hosts.write(blob, bytes, {}, signal));
      if ((await write()).kind !== 'missing') return;
      const creation = { operation: 'create', resource: `container '${hosts.name}'` };
      await callUntilDone(deps, creation, maxTries, (signal) => hosts.create(signal));
      await write();
    },
  };
}

/** Which store has the statuses of which app. */
export interface TimerStatusChoice {
  readonly deps: BlobTimerStatusDeps;
  /** The app's own storage (`findHostStorage` of its settings), undefined where it has none. */
  readonly connectionOf: (applicationId: string) => StorageConnection | undefined;
  /** For apps without storage. */
  readonly fallback: TimerStatusStore;
}

/** Keeps each app's statuses in its own storage, and in `fallback` those of apps that have none. */
export function chooseTimerStatus({ deps, connectionOf, fallback }: TimerStatusChoice): TimerStatusStore {
  const storeOf = ({ applicationId }: TimerKey): TimerStatusStore => {
    const connection = connectionOf(applicationId);
    return connection === undefined ? fallback : createBlobTimerStatus(deps, connection);
  };
  return {
    read: (key, signal) => storeOf(key).read(key, signal),
    write: (key, status) => storeOf(key).write(key, status),
  };
}

function blobNameOf({ hostId, functionName }: TimerKey): string {
  return `timers/${hostId}/${functionIdOf(functionName)}/status`;
}

function format(status: TimerStatus): string {
  return JSON.stringify({
    Last: toText(status.lastMs),
    Next: toText(status.nextMs),
    LastUpdated: toText(status.lastUpdatedMs),
  });
}

function parse(text: string, file: string): TimerStatus | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isJsonObject(parsed)) throw new TypeError('it is no JSON object');
    return {
      lastMs: readTime(parsed, 'Last'),
      nextMs: readTime(parsed, 'Next'),
      lastUpdatedMs: readTime(parsed, 'LastUpdated'),
    };
  } catch (thrown) {
    throw triggerErrors.create('TIMER_STATUS_UNREADABLE', { file, reason: messageOf(thrown) }, thrown);
  }
}

function toText(timeMs: number | undefined): string {
  return timeMs === undefined ? neverText : new Date(timeMs).toISOString();
}

function readTime(status: JsonObject, key: string): number | undefined {
  const value = status[key];
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string' && value.startsWith(neverText)) return undefined;
  const timeMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(timeMs)) throw new TypeError(`"${key}" is ${JSON.stringify(value)}, which is no time`);
  return timeMs;
}
