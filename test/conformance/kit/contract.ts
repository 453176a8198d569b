/**
 * What a case of the conformance kit is. A case knows the fixture app and what the reference says of a host
 * (host-behaviours, sections 4 to 13); it knows nothing of Switchyard, and reaches the host over HTTP and its storage alone.
 */
import type { Answer, CallOptions } from './call.ts';
import type { StorageProbe } from './storage-probe.ts';

/** What a case needs beside the base URL; it is skipped with a reason where that was not given. */
export type Need = 'storage' | 'key' | 'custom';

export interface ConformanceCase {
  /** The section of the reference, with the part of it where that helps: `5 HTTP trigger: routes`. */
  readonly section: string;
  readonly name: string;
  readonly needs?: readonly Need[];
  /** Runs after all others and alone, because it disturbs the host. */
  readonly isDisruptive?: boolean;
  /** Rejects when the host behaves otherwise. */
  readonly run: (kit: Kit) => Promise<void>;
}

/** The host under test, as cases see it. */
export interface Kit {
  /** Calls a path below the base URL: `/api/x`, `/admin/host/status`. Any status is an answer. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** Calls a function of the fixture app by the rest of its route. */
  function(rest: string, options?: CallOptions): Promise<Answer>;
  /** Calls with the master key. */
  admin(path: string, options?: CallOptions): Promise<Answer>;
  /** Calls the fixture with a custom handler. */
  custom(path: string, options?: CallOptions): Promise<Answer>;
  /** What functions noted under a key, once there are at least so many notes. */
  notes(key: string, count?: number): Promise<readonly unknown[]>;
  /** What functions noted so far. */
  notesSoFar(key: string): Promise<readonly unknown[]>;
  /** A text that nobody had before: letters and digits, a letter first. */
  unique(): string;
  readonly storage: StorageProbe;
}

/** Where the fixture app's routes begin, as its host.json says. */
export const routePrefix = '/kit/v1';
