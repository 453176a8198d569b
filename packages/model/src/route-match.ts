/** Matching a decoded path against one route template, as ASP.NET Core's matcher does. */
import { decodeRequestPath } from './request-path.ts';
import type { RouteParameter, RoutePart, RouteSegment, RouteTemplate } from './route-template.ts';

/** The values of the parameters by name, in the template's order; a missing optional one is undefined. */
export type RouteParams = ReadonlyMap<string, string | undefined>;

/** A decoded path, cut at its slashes. */
export interface RequestPath {
  /** A slash at the end, or two in a row, leave an empty text behind. */
  readonly segments: readonly string[];
  /** The segments in lower case, to compare literals with. */
  readonly keys: readonly string[];
  /** How many segments count: an empty one at the end belongs to the value of a catch-all and to nothing else. */
  readonly count: number;
}

/** Matches the path of a request, still encoded and without its query. Undefined when it does not match. */
export function matchRoute(template: RouteTemplate, path: string): RouteParams | undefined {
  const decoded = decodeRequestPath(path);
  return decoded === undefined ? undefined : matchPath(template, splitPath(decoded));
}

/** Cuts a decoded path at its slashes; the first one is not needed. */
export function splitPath(decoded: string): RequestPath {
  const start = decoded.startsWith('/') ? 1 : 0;
  const segments = start >= decoded.length ? [] : decoded.slice(start).split('/');
  const count = segments.at(-1) === '' ? segments.length - 1 : segments.length;
  return { segments, keys: segments.map((segment) => segment.toLowerCase()), count };
}

/** Matches a path that `splitPath` has cut. */
export function matchPath(template: RouteTemplate, path: RequestPath): RouteParams | undefined {
  if (!literalsMatch(template, path)) return undefined;
  const values = new Map<string, string | undefined>();
  for (const name of template.parameters) values.set(name, undefined);
  for (const [index, segment] of template.segments.entries()) {
    if (segment.kind === 'catchAll') return matchCatchAll(segment.parameter, path, index, values);
    const text = index < path.count ? path.segments[index] : undefined;
    if (segment.kind !== 'literal' && !matchSegment(segment, text, values)) return undefined;
  }
  return values;
}

/** Sorts out most templates at once: those with another literal, or too few segments. */
function literalsMatch({ segments, endsWithCatchAll }: RouteTemplate, path: RequestPath): boolean {
  if (path.count > segments.length && !endsWithCatchAll) return false;
  for (let index = 0; index < segments.length; index += 1) {
    const segment = segments[index];
    if (segment?.kind === 'literal' && (index >= path.count || segment.key !== path.keys[index])) return false;
  }
  return true;
}

function matchCatchAll(
  parameter: RouteParameter,
  path: RequestPath,
  index: number,
  values: Map<string, string | undefined>,
): RouteParams | undefined {
  if (path.segments[index] === '' && index < path.count) return undefined;
  const rest = path.segments.slice(index).join('/');
  const value = rest === '' ? parameter.fallback : rest;
  values.set(parameter.name, value);
  return satisfies(parameter, value) ? values : undefined;
}

function matchSegment(
  segment: Extract<RouteSegment, { kind: 'parameter' | 'mixed' }>,
  text: string | undefined,
  values: Map<string, string | undefined>,
): boolean {
  if (text === '') return false;
  if (segment.kind === 'mixed') return text !== undefined && matchMixed(segment, text, values);
  const { parameter } = segment;
  const value = text ?? parameter.fallback;
  if (value === undefined && !parameter.optional) return false;
  values.set(parameter.name, value);
  return satisfies(parameter, value);
}

/** A missing value satisfies the constraints of an optional parameter, and no others. */
function satisfies(parameter: RouteParameter, value: string | undefined): boolean {
  if (value === undefined) return parameter.optional || parameter.constraints.length === 0;
  return parameter.constraints.every((constraint) => constraint.matches(value));
}

function matchMixed(
  segment: Extract<RouteSegment, { kind: 'mixed' }>,
  text: string,
  values: Map<string, string | undefined>,
): boolean {
  const { parts, optionalTail } = segment;
  const found =
    capture(parts, text) ?? (optionalTail && !text.endsWith('.') ? capture(parts.slice(0, -2), text) : undefined);
  if (found === undefined) return false;
  for (const part of parts) {
    if (part.kind === 'literal') continue;
    const value = found.get(part.parameter) ?? part.parameter.fallback;
    values.set(part.parameter.name, value);
    if (!satisfies(part.parameter, value)) return false;
  }
  return true;
}

/**
 * Reads the parts from right to left: each literal is sought at its last place, so a parameter takes as little as it can at
 * the right and all that is left at the start. Every parameter takes at least one character.
 */
function capture(parts: readonly RoutePart[], text: string): Map<RouteParameter, string> | undefined {
  const found = new Map<RouteParameter, string>();
  const lower = text.toLowerCase();
  // Lower case must not move positions, which it does for a few letters.
  const haystack = lower.length === text.length ? lower : text;
  let end = text.length;
  let pending: RouteParameter | undefined;
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index] as RoutePart;
    if (part.kind === 'parameter') {
      pending = part.parameter;
      continue;
    }
    const needle = haystack === lower ? part.text.toLowerCase() : part.text;
    const limit = (pending === undefined ? end : end - 1) - needle.length;
    const at = limit < 0 ? -1 : haystack.lastIndexOf(needle, limit);
    if (at < 0 || (index === parts.length - 1 && at + needle.length !== text.length)) return undefined;
    if (pending !== undefined) found.set(pending, text.slice(at + needle.length, end));
    pending = undefined;
    end = at;
  }
  if (pending === undefined) return end === 0 ? found : undefined;
  if (end === 0) return undefined;
  found.set(pending, text.slice(0, end));
  return found;
}
