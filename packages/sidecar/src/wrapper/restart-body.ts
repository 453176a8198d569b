/** What a body of `POST /restart` or `POST /shutdown` says. Values are not quoted in faults: an argument may be a secret. */
import { faultOfChange, type LaunchChange } from './contract.ts';

export type BodyReading<T> =
  | { readonly kind: 'parsed'; readonly value: T }
  | { readonly kind: 'invalid'; readonly key: string; readonly expected: string };

export interface RestartBody {
  readonly reason: string;
  readonly change: LaunchChange;
}

/** A reason is for people. */
const maxReasonLength = 1_000;

/** Longer than anybody waits for a worker. */
const maxGraceMs = 3_600_000;

/** Reads `{reason?, executable?, arguments?, workerPath?}`; an empty body asks for a restart as it is. */
export function parseRestartBody(text: string): BodyReading<RestartBody> {
  const body = parseObject(text, ['reason', 'executable', 'arguments', 'workerPath']);
  if (body.kind === 'invalid') return body;
  const { reason = '', executable, arguments: words, workerPath } = body.value;
  if (typeof reason !== 'string') return invalid('reason', 'a text');
  if (reason.length > maxReasonLength) return invalid('reason', `at most ${maxReasonLength} characters`);
  if (!isTextOrNothing(executable)) return invalid('executable', 'a text');
  if (!isTextOrNothing(workerPath)) return invalid('workerPath', 'a text');
  if (!isTextsOrNothing(words)) return invalid('arguments', 'a list of texts');
  const change = {
    ...(executable === undefined ? {} : { executable }),
    ...(words === undefined ? {} : { arguments: words }),
    ...(workerPath === undefined ? {} : { workerPath }),
  };
  const fault = faultOfChange(change);
  if (fault !== undefined) return invalid('$', `a command line, but ${fault}`);
  return { kind: 'parsed', value: { reason, change } };
}

/** Reads `{graceMs?}`. */
export function parseShutdownBody(text: string): BodyReading<{ readonly graceMs: number | undefined }> {
  const body = parseObject(text, ['graceMs']);
  if (body.kind === 'invalid') return body;
  const { graceMs } = body.value;
  if (graceMs === undefined) return { kind: 'parsed', value: { graceMs } };
  const isGrace = typeof graceMs === 'number' && Number.isInteger(graceMs) && graceMs >= 0 && graceMs <= maxGraceMs;
  if (!isGrace) return invalid('graceMs', `a whole number of milliseconds from 0 to ${maxGraceMs}`);
  return { kind: 'parsed', value: { graceMs } };
}

type JsonObject = Readonly<Record<string, unknown>>;

/** An object with these keys and no others: a misspelled key is a mistake, not a wish for the default. */
function parseObject(text: string, keys: readonly string[]): BodyReading<JsonObject> {
  if (text.trim() === '') return { kind: 'parsed', value: {} };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return invalid('$', 'JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return invalid('$', 'an object');
  const names = Object.keys(json);
  const stranger = names.find((name) => !keys.includes(name));
  if (stranger !== undefined) return invalid(stranger.slice(0, 100), `left out; there are ${keys.join(', ')}`);
  return { kind: 'parsed', value: json as JsonObject };
}

const isTextOrNothing = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';

const isTextsOrNothing = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.every((word) => typeof word === 'string'));

function invalid(key: string, expected: string): { kind: 'invalid'; key: string; expected: string } {
  return { kind: 'invalid', key, expected };
}
