import { randomUUID } from 'node:crypto';
import { type Answer, type CallOptions, call } from './call.ts';
import { type ConformanceCase, type Kit, type Need, routePrefix } from './contract.ts';
import { eventually } from './eventually.ts';
import { StorageProbe } from './storage-probe.ts';

/** The host that is to be tested. It serves the fixture app, unmodified. */
export interface Target {
  /** Where its HTTP is, without a path. */
  readonly url: string;
  /** The connection string of the app's AzureWebJobsStorage; without it the cases on storage are skipped. */
  readonly storage?: string | undefined;
  /** The master key; without it the cases on keys and the admin API are skipped. */
  readonly key?: string | undefined;
  /** Where the fixture with a custom handler is served. */
  readonly customUrl?: string | undefined;
}

export function openKit(target: Target): Kit {
  const storage = target.storage === undefined ? undefined : new StorageProbe(target.storage);
  const base = target.url.replace(/\/+$/, '');
  const kit: Kit = {
    call: (path, options) => call(base, path, options),
    function: (rest, options) => call(base, `${routePrefix}/${rest}`, options),
    admin: (path, options) => call(base, path, withKey(options, target.key)),
    custom: (path, options) => call(target.customUrl ?? base, path, options),
    notes: (key, count = 1) =>
      eventually(`${count} notes on '${key}'`, async () => {
        const notes = await kit.notesSoFar(key);
        return notes.length >= count ? notes : undefined;
      }),
    notesSoFar: async (key) => toNotes(await call(base, `${routePrefix}/notes/${encodeURIComponent(key)}`)),
    unique: () => `k${randomUUID().replaceAll('-', '').slice(0, 16)}`,
    get storage() {
      if (storage === undefined) throw new Error('The case uses storage without saying that it needs it');
      return storage;
    },
  };
  return kit;
}

/** What keeps a case from running on this target; undefined when nothing does. */
export function missingFor({ needs = [] }: ConformanceCase, target: Target): Need | undefined {
  const given = { storage: target.storage, key: target.key, custom: target.customUrl };
  return needs.find((need) => given[need] === undefined);
}

function withKey(options: CallOptions | undefined, key: string | undefined): CallOptions {
  return { ...options, headers: { ...(key === undefined ? {} : { 'x-functions-key': key }), ...options?.headers } };
}

function toNotes(answer: Answer): readonly unknown[] {
  const notes = answer.json();
  if (!Array.isArray(notes)) throw new Error(`The notes are '${answer.text.slice(0, 200)}'`);
  return notes;
}
