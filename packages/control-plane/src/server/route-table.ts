/** Which operation a request means. */
import { type ControlOperationId, controlOperations, pathParameters } from '@switchyard/protocol/control-api';

export type RouteFound =
  | {
      readonly kind: 'found';
      readonly id: ControlOperationId;
      /** Decoded, and right as their schemas want them. */
      readonly parameters: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'unknown' }
  /** A part of the path does not fit the operation. */
  | {
      readonly kind: 'invalid';
      readonly id: ControlOperationId;
      readonly name: string;
      readonly reason: string;
    }
  | { readonly kind: 'method'; readonly allowed: readonly string[] };

interface Route {
  readonly id: ControlOperationId;
  readonly method: string;
  readonly segments: readonly string[];
}

const routes: readonly Route[] = Object.entries(controlOperations).map(([id, { method, path }]) => ({
  id: id as ControlOperationId,
  method,
  segments: path.split('/'),
}));

/** Finds the operation. HEAD means GET. `path` is as it came, without its query. */
export function findRoute(method: string, path: string): RouteFound {
  const given = path.split('/');
  const matching = routes.filter(({ segments }) => isMatch(segments, given));
  if (matching.length === 0) return { kind: 'unknown' };
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = matching.find((one) => one.method === wanted);
  if (route === undefined) return { kind: 'method', allowed: allowedBy(matching) };
  const parameters = new Map<string, string>();
  for (const [index, segment] of route.segments.entries()) {
    if (!segment.startsWith('{')) continue;
    const name = segment.slice(1, -1);
    const reading = pathParameters[name]?.safeParse(decode(given[index] ?? ''));
    if (reading?.success !== true) {
      return {
        kind: 'invalid',
        id: route.id,
        name,
        reason: reading?.error.issues[0]?.message ?? 'it is not understood',
      };
    }
    parameters.set(name, reading.data);
  }
  return { kind: 'found', id: route.id, parameters };
}

/** Whoever takes GET takes HEAD. */
function allowedBy(matching: readonly Route[]): readonly string[] {
  return matching.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

function isMatch(segments: readonly string[], given: readonly string[]): boolean {
  return (
    segments.length === given.length &&
    segments.every((segment, index) => (segment.startsWith('{') ? given[index] !== '' : segment === given[index]))
  );
}

/** Undefined for a broken escape. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
