/** Writing to the catalog: all or nothing, refusals as values, and a word to those who watch. */
import type { Clock, PlatformError, Random } from '@switchyard/kernel';
import { controlErrors } from '../errors.ts';
import type { CatalogChanges } from './changes.ts';
import type { CheckOutcome, WriteOutcome } from './contract.ts';
import type { CatalogDatabase } from './database.ts';
import type { Seal } from './seal.ts';

/** What every part of the catalog stands on. */
export interface CatalogParts {
  readonly database: CatalogDatabase;
  readonly changes: CatalogChanges;
  readonly seal: Seal;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'bytes' | 'uuid'>;
}

/** Ends a transaction without a trace; `write` turns it into an outcome. */
class Refusal extends Error {
  readonly error: PlatformError;
  readonly currentRevision: number | undefined;

  constructor(error: PlatformError, currentRevision?: number) {
    super(error.message);
    this.error = error;
    this.currentRevision = currentRevision;
  }
}

/** Refuses the write that is under way. */
export function refuse(...[code, details]: Parameters<typeof controlErrors.create>): never {
  throw new Refusal(controlErrors.create(code, details));
}

/** Refuses the write that is under way when another writer came first. */
export function requireRevision(
  what: 'properties' | 'settings' | 'weights',
  applicationId: string,
  current: number,
  expected: number | undefined,
): void {
  if (expected === undefined || expected === current) return;
  throw new Refusal(controlErrors.create('REVISION_CONFLICT', { what, applicationId, current, expected }), current);
}

/**
 * Runs one write. `work` answers with `changed: false` when everything was so already; then nobody is told.
 */
export function write<Value>(
  parts: Pick<CatalogParts, 'database' | 'changes'>,
  applicationId: string,
  work: () => { readonly value: Value; readonly changed: boolean },
): WriteOutcome<Value> {
  try {
    const { value, changed } = parts.database.transaction(work);
    if (changed) parts.changes.announce(applicationId);
    return { kind: 'written', value };
  } catch (thrown) {
    return toRefused(thrown);
  }
}

/** What a write would be refused with, and whether it would change anything. `work` only reads. */
export function check<Value>(
  parts: Pick<CatalogParts, 'database'>,
  work: () => { readonly value: Value; readonly isSame: boolean },
): CheckOutcome<Value> {
  try {
    return { kind: 'sound', ...parts.database.transaction(work) };
  } catch (thrown) {
    return toRefused(thrown);
  }
}

function toRefused(thrown: unknown): Extract<WriteOutcome<never>, { kind: 'refused' }> {
  if (!(thrown instanceof Refusal)) throw thrown;
  const { error, currentRevision } = thrown;
  return { kind: 'refused', error, ...(currentRevision === undefined ? {} : { currentRevision }) };
}
