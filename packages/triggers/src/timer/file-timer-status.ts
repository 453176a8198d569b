/**
 * Timer status in files, so that timers need no storage account: `<root>/<applicationId>/<hostId>/<function>.json`, with
 * the property names that the official host uses in its blob.
 *
 * I1 A reader sees the status from before a write or the one after it, never half of one.
 * I2 No key reaches a file outside the root.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, type Random } from '@switchyard/kernel';
import { triggerErrors } from '../errors.ts';
import type { TimerStatus } from './timer-status.ts';
import type { TimerKey, TimerStatusStore } from './timer-status-store.ts';

/** Keeps statuses below `root`, an absolute path; folders are made when they are first needed. */
export function createFileTimerStatus(deps: { readonly random: Random }, root: string): TimerStatusStore {
  return {
    async read(key, signal) {
      const file = pathOf(root, key);
      try {
        return parse(await readFile(file, { encoding: 'utf8', signal }));
      } catch (thrown) {
        if (isMissing(thrown)) return undefined;
        throw triggerErrors.create('TIMER_STATUS_UNREADABLE', { file, reason: messageOf(thrown) }, thrown);
      }
    },
    async write(key, status) {
      const file = pathOf(root, key);
      const draft = `${file}.${deps.random.uuid()}`;
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(draft, format(status));
      await rename(draft, file);
    },
  };
}

function pathOf(root: string, key: TimerKey): string {
  return path.join(root, segment(key.applicationId), segment(key.hostId), `${segment(key.functionName)}.json`);
}

/** Any text as a file name: everything but letters, digits, dashes and underscores is escaped. */
function segment(text: string): string {
  const escaped = encodeURIComponent(text).replace(/[.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return escaped === '' ? '%' : escaped;
}

function format(status: TimerStatus): string {
  return JSON.stringify({
    Last: toIso(status.lastMs),
    Next: toIso(status.nextMs),
    LastUpdated: toIso(status.lastUpdatedMs),
  });
}

function parse(text: string): TimerStatus {
  const parsed = JSON.parse(text) as Record<string, unknown> | null;
  return {
    lastMs: fromIso(parsed?.Last),
    nextMs: fromIso(parsed?.Next),
    lastUpdatedMs: fromIso(parsed?.LastUpdated),
  };
}

function toIso(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}

function fromIso(value: unknown): number | undefined {
  if (value === null) return undefined;
  const timeMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(timeMs)) throw new TypeError(`${JSON.stringify(value)} is no time`);
  return timeMs;
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}
