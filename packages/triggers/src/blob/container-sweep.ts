/**
 * How far the scan of a container has come. Pure.
 *
 * A sweep lists the whole container, page by page over several polls if it is large. What was modified since the position
 * is looked at. After a sweep the position moves up to the newest modification that it saw, but never past its own
 * beginning (a blob that was written meanwhile into a part that had been listed already is met by the next sweep) and never
 * past a blob that could not be handed on.
 */
import type { BlobItem, BlobPage } from './blob-client.ts';

/** Times by the service's clock. */
export interface Sweep {
  /** Everything modified before this was looked at; undefined: nothing was. */
  readonly positionMs: number | undefined;
  /** The sweep under way; undefined between two sweeps. */
  readonly current: CurrentSweep | undefined;
}

interface CurrentSweep {
  readonly continuation: string | undefined;
  readonly beganMs: number;
  readonly newestMs: number;
  readonly oldestFailedMs: number;
}

/**
 * Times of modification are whole seconds, and a write becomes visible a moment after its time was taken: so the position
 * stays this far behind the beginning of a sweep.
 */
const slackMs = 10_000;

/** A container of which only the position is known, or nothing. */
export function startSweeps(positionMs: number | undefined): Sweep {
  return { positionMs, current: undefined };
}

/** The blobs of a page that may be new. */
export function candidatesOf(sweep: Sweep, page: BlobPage): readonly BlobItem[] {
  const { positionMs } = sweep;
  return positionMs === undefined ? page.blobs : page.blobs.filter((blob) => blob.lastModifiedMs >= positionMs);
}

/** The state after a page whose candidates were handed on, except for the `failed` ones. */
export function afterPage(sweep: Sweep, page: BlobPage, failed: readonly BlobItem[]): Sweep {
  const { current } = sweep;
  const next: CurrentSweep = {
    continuation: page.continuation,
    beganMs: current?.beganMs ?? page.serverTimeMs,
    newestMs: latest(page.blobs, current?.newestMs ?? Number.NEGATIVE_INFINITY),
    oldestFailedMs: earliest(failed, current?.oldestFailedMs ?? Number.POSITIVE_INFINITY),
  };
  if (page.continuation !== undefined) return { positionMs: sweep.positionMs, current: next };
  const reachedMs = Math.min(next.newestMs, next.beganMs - slackMs, next.oldestFailedMs);
  const isFurther = Number.isFinite(reachedMs) && reachedMs > (sweep.positionMs ?? Number.NEGATIVE_INFINITY);
  return { positionMs: isFurther ? reachedMs : sweep.positionMs, current: undefined };
}

function latest(blobs: readonly BlobItem[], beforeMs: number): number {
  return blobs.reduce((newest, blob) => Math.max(newest, blob.lastModifiedMs), beforeMs);
}

function earliest(blobs: readonly BlobItem[], beforeMs: number): number {
  return blobs.reduce((oldest, blob) => Math.min(oldest, blob.lastModifiedMs), beforeMs);
}
