/** The query parameters of the API. Each function throws RequestRefused with INVALID_QUERY. */
import { type JobState, jobStates } from '@switchyard/protocol/job-api';
import type { JobQuery } from '../jobs/job-store.ts';
import { defaultPageSize, maxLabelFilters, maxPageSize, maxWaitSeconds } from './limits.ts';
import { refuse } from './reply.ts';

/** The query of `GET /jobs`. */
export function readListQuery(query: URLSearchParams): JobQuery {
  requireNames(query, ['state', 'label', 'lifecycle', 'limit', 'cursor']);
  return {
    states: readStates(query),
    lifecycle: readLifecycle(query.get('lifecycle')),
    labels: readLabels(query.getAll('label')),
    limit: readInteger(query, 'limit', 1, maxPageSize) ?? defaultPageSize,
    before: readInteger(query, 'cursor', 1, Number.MAX_SAFE_INTEGER),
  };
}

/**
 * How long the answer to `GET /jobs/{job_id}` waits for the job's end, in milliseconds. Other parameters are ignored: the
 * path is one of version 1.
 */
export function readWaitMs(query: URLSearchParams): number {
  return (readInteger(query, 'wait_seconds', 0, maxWaitSeconds) ?? 0) * 1_000;
}

/** Whether `GET /jobs/{job_id}/logs` goes on with what comes. */
export function readFollow(query: URLSearchParams): boolean {
  requireNames(query, ['follow']);
  const text = query.get('follow') ?? 'true';
  if (text === 'true' || text === 'false') return text === 'true';
  return invalid('follow', text, "must be 'true' or 'false'");
}

function readStates(query: URLSearchParams): readonly JobState[] | undefined {
  const words = query.getAll('state').flatMap((text) => text.split(','));
  if (words.length === 0) return undefined;
  const states = words.map((word) => {
    return (
      jobStates.find((state) => state === word) ?? invalid('state', word, `must be one of ${jobStates.join(', ')}`)
    );
  });
  return [...new Set(states)];
}

function readLifecycle(text: string | null): JobQuery['lifecycle'] {
  if (text === null) return undefined;
  return text === 'job' || text === 'pod' ? text : invalid('lifecycle', text, "must be 'job' or 'pod'");
}

function readLabels(texts: readonly string[]): JobQuery['labels'] {
  if (texts.length > maxLabelFilters) invalid('label', `${texts.length} filters`, `must be at most ${maxLabelFilters}`);
  return texts.map((text) => {
    const at = text.indexOf('=');
    return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : invalid('label', text, "must be 'name=value'");
  });
}

function readInteger(query: URLSearchParams, name: string, minimum: number, maximum: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  return invalid(name, text, `must be an integer from ${minimum} to ${maximum}`);
}

function requireNames(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys())
    if (!known.includes(name)) invalid(name, query.get(name) ?? '', `is unknown here; there are ${known.join(', ')}`);
}

function invalid(name: string, value: string, problem: string): never {
  return refuse(
    400,
    'INVALID_QUERY',
    `The parameter ${name.slice(0, 80)}='${value.slice(0, 80)}' cannot be used: it ${problem}.`,
  );
}
