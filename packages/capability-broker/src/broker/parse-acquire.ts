import type { AcquireMessage } from '@switchyard/capabilities';
import semver from 'semver';
import { capabilityErrors } from '../errors.ts';
import { isCapabilityName } from '../registry/capability-manifest.ts';

/** A request of either shape, checked and with everything filled in. */
export interface ParsedAcquire {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly range: string;
  readonly ranges: ReadonlyMap<string, string>;
  readonly timeoutMs: number;
  readonly preferLocal: boolean;
  readonly allowColdStart: boolean;
  readonly reachesHosts: boolean;
  readonly traceparent: string;
}

const maxNames = 64;
const defaultTimeoutMs = 10_000;
const maxTimeoutMs = 120_000;

/** Reads what a peer sent, which may be anything. Fails with INVALID_PAYLOAD. */
export function parseAcquire(message: unknown): ParsedAcquire {
  if (!isRecord(message)) throw refused('it is no object');
  const own = (key: keyof AcquireMessage): unknown => (Object.hasOwn(message, key) ? message[key] : undefined);
  const required = [
    ...new Set([...namesOf(own('required'), 'required'), ...namesOf(own('capabilities'), 'capabilities')]),
  ];
  const optional = namesOf(own('optional'), 'optional').filter((name) => !required.includes(name));
  if (required.length + optional.length === 0) throw refused("it names no capability in 'required' or 'optional'");
  if (required.length + optional.length > maxNames) throw refused(`it names more than ${maxNames} capabilities`);
  return {
    required,
    optional,
    range: rangeOf(own('version') ?? '*', 'version'),
    ranges: rangesOf(own('versions') ?? {}),
    timeoutMs: timeoutOf(own('timeout') ?? defaultTimeoutMs),
    preferLocal: own('preferLocal') !== false,
    allowColdStart: own('allowColdStart') !== false,
    reachesHosts: own('reachesHosts') === true,
    traceparent: textOf(own('traceparent')),
  };
}

function namesOf(value: unknown, field: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > maxNames)
    throw refused(`'${field}' is no list of at most ${maxNames} names`);
  const wrong = value.find((name) => !isCapabilityName(name));
  if (wrong !== undefined) throw refused(`'${field}' holds ${shown(wrong)}, which is no name of a capability`);
  return [...new Set(value as string[])];
}

function rangeOf(value: unknown, field: string): string {
  const range = typeof value === 'string' && value.length <= 200 ? semver.validRange(value) : null;
  if (range === null) throw refused(`'${field}' is ${shown(value)}, which is no semver range such as '>=1.0'`);
  return value as string;
}

function rangesOf(value: unknown): Map<string, string> {
  if (!isRecord(value)) throw refused("'versions' is no object of ranges by name");
  const entries = Object.entries(value);
  if (entries.length > maxNames) throw refused(`'versions' holds more than ${maxNames} ranges`);
  return new Map(entries.map(([name, range]) => [name, rangeOf(range, `versions.${name.slice(0, 100)}`)]));
}

function timeoutOf(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0))
    throw refused(`'timeout' is ${shown(value)}; give milliseconds above 0`);
  return Math.min(value, maxTimeoutMs);
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= 200 ? value : '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : typeof value === 'number' ? `${value}` : `a ${typeof value}`;
  return text.slice(0, 100);
}

function refused(reason: string): Error {
  return capabilityErrors.create('INVALID_PAYLOAD', { what: 'The request', reason });
}
