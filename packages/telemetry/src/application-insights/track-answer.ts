/** What the ingestion service made of a request: pure. */

/** What becomes of the items that were sent. */
export type TrackOutcome =
  /** `again` are the positions of those that it wants to see once more, `refused` how many it never will. */
  | { readonly kind: 'taken'; readonly again: readonly number[]; readonly refused: number; readonly reason: string }
  /** None was looked at; all of them may be sent once more, no sooner than `waitMs` from now. */
  | { readonly kind: 'again'; readonly reason: string; readonly waitMs: number }
  /** None will ever be taken. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface TrackAnswer {
  readonly status: number;
  /** The header of that name. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** For a while; the service, or what stands before it, has too much to do. */
const passing: ReadonlySet<number> = new Set([408, 429, 439, 500, 502, 503, 504]);

/** The longest that a header keeps telemetry back. */
const longestWaitMs = 10 * 60_000;

/** Reads an answer to `count` items. */
export function readTrackAnswer({ status, retryAfter, body }: TrackAnswer, count: number, nowMs: number): TrackOutcome {
  if (status === 206) return readPartial(body, count);
  if (status >= 200 && status < 300) return { kind: 'taken', again: [], refused: 0, reason: '' };
  const reason = `it answered ${status}`;
  return passing.has(status)
    ? { kind: 'again', reason, waitMs: readRetryAfter(retryAfter, nowMs) }
    : { kind: 'refused', reason };
}

/** `{"errors": [{"index": 1, "statusCode": 429, "message": "..."}]}`: everything else was taken. */
function readPartial(body: string, count: number): TrackOutcome {
  const again: number[] = [];
  const reasons = new Set<string>();
  let refused = 0;
  for (const error of errorsOf(body)) {
    const { index, statusCode, message } = error;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) continue;
    reasons.add(typeof message === 'string' ? message.slice(0, 200) : String(statusCode));
    if (typeof statusCode === 'number' && passing.has(statusCode)) again.push(index);
    else refused += 1;
  }
  return { kind: 'taken', again, refused, reason: [...reasons].slice(0, 3).join('; ') };
}

function errorsOf(body: string): readonly Readonly<Record<string, unknown>>[] {
  try {
    const { errors } = JSON.parse(body);
    return Array.isArray(errors) ? errors.filter((error) => typeof error === 'object' && error !== null) : [];
  } catch {
    return [];
  }
}

/** Seconds, or a date. */
function readRetryAfter(text: string | undefined, nowMs: number): number {
  if (text === undefined) return 0;
  const waitMs = /^\d+$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? 0 : Math.min(longestWaitMs, Math.max(0, waitMs));
}
