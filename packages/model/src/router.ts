/**
 * The routes of one app's HTTP functions.
 *
 * Purpose: find the function of a request in a few microseconds, with hundreds of routes.
 * Ownership: immutable once created; a JobHost makes one when it indexes its app.
 *
 * I1 Of the routes that match path and method, the one of highest precedence wins: segment by segment a literal comes
 *    before a constrained or mixed one, a plain parameter, and a catch-all; then the entry that was given first.
 * I2 The index changes nothing but the speed: the answer is that of trying every route in order of precedence.
 * I3 Two routes with the same template and a method in common never both stand: the later entry is rejected.
 */
import { PlatformError } from '@switchyard/kernel';
import { modelErrors } from './errors.ts';
import { decodeRequestPath } from './request-path.ts';
import { matchPath, type RouteParams, splitPath } from './route-match.ts';
import { parseRouteTemplate, type RouteTemplate } from './route-template.ts';

/** What a route needs to say of itself. */
export interface RouteEntry {
  readonly functionName: string;
  /** The template below the prefix; empty means the function's name, `/` the prefix itself. */
  readonly route: string;
  /** In any case; empty means every method. */
  readonly methods: readonly string[];
}

export interface Router<Entry extends RouteEntry> {
  /** The routes in order of precedence, each with its whole template. */
  readonly routes: readonly Route<Entry>[];
  /** Entries that cannot be routed, and why. They harm no other. */
  readonly rejected: readonly { readonly entry: Entry; readonly error: PlatformError }[];
  /** Finds the route of a request. `path` is still encoded and without its query. A wrong method is no match. */
  match(method: string, path: string): RouteMatch<Entry> | undefined;
}

export interface Route<Entry extends RouteEntry> {
  readonly entry: Entry;
  readonly template: RouteTemplate;
  /** In upper case. */
  readonly methods: ReadonlySet<string>;
}

export interface RouteMatch<Entry extends RouteEntry> {
  readonly entry: Entry;
  readonly params: RouteParams;
}

/** The spaces of routes that the host keeps for itself. Like the official host this refuses every word that starts so. */
const reservedStarts = ['admin', 'runtime'];

/** A node of the index: the literal segments that lead here, and the routes whose leading literals end here. */
interface IndexNode<Entry extends RouteEntry> {
  readonly children: Map<string, IndexNode<Entry>>;
  readonly routes: Route<Entry>[];
}

/** Builds the router. `routePrefix` is that of host.json, `api` by default there; empty for none. */
export function createRouter<Entry extends RouteEntry>(
  entries: readonly Entry[],
  options: { readonly routePrefix: string },
): Router<Entry> {
  const routes: Route<Entry>[] = [];
  const rejected: { entry: Entry; error: PlatformError }[] = [];
  const byTemplate = new Map<string, Route<Entry>[]>();
  for (const entry of entries) {
    const made = makeRoute(entry, options.routePrefix, byTemplate);
    if ('code' in made) rejected.push({ entry, error: made });
    else routes.push(made);
  }
  routes.sort((a, b) => comparePrecedence(a.template.precedence, b.template.precedence));
  const root = buildIndex(routes);
  return { routes, rejected, match: (method, path) => findRoute(root, method, path) };
}

function makeRoute<Entry extends RouteEntry>(
  entry: Entry,
  routePrefix: string,
  byTemplate: Map<string, Route<Entry>[]>,
): Route<Entry> | PlatformError {
  const { functionName } = entry;
  const own = (entry.route === '' ? functionName : entry.route).replace(/^~?\/+/, '');
  const key = own.replace(/\/+$/, '').toLowerCase();
  const reserved = reservedStarts.find((start) => key.startsWith(start));
  if (reserved !== undefined) return modelErrors.create('ROUTE_RESERVED', { functionName, route: own, reserved });
  const route = parseRoute(entry, routePrefix === '' ? own : `${routePrefix}/${own}`);
  if ('code' in route) return route;
  const same = byTemplate.get(key) ?? [];
  const other = same.find(({ methods }) => overlap(methods, route.methods));
  if (other !== undefined) {
    return modelErrors.create('ROUTE_TWICE', { functionName, route: own, other: other.entry.functionName });
  }
  byTemplate.set(key, [...same, route]);
  return route;
}

function parseRoute<Entry extends RouteEntry>(entry: Entry, text: string): Route<Entry> | PlatformError {
  const methods = new Set(entry.methods.map((method) => method.toUpperCase()));
  try {
    return { entry, template: parseRouteTemplate(text), methods };
  } catch (thrown) {
    if (thrown instanceof PlatformError) return thrown;
    throw thrown;
  }
}

/** Empty sets stand for every method. */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === 0 || b.size === 0 || [...a].some((method) => b.has(method));
}

function comparePrecedence(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function buildIndex<Entry extends RouteEntry>(routes: readonly Route<Entry>[]): IndexNode<Entry> {
  const root: IndexNode<Entry> = { children: new Map(), routes: [] };
  for (const route of routes) {
    let node = root;
    for (const segment of route.template.segments) {
      if (segment.kind !== 'literal') break;
      const child = node.children.get(segment.key) ?? { children: new Map(), routes: [] };
      node.children.set(segment.key, child);
      node = child;
    }
    node.routes.push(route);
  }
  return root;
}

/**
 * Walks down the literal segments of the path, then tries the routes of the deepest node first: a route that goes on with
 * a literal there precedes every route that does not.
 */
function findRoute<Entry extends RouteEntry>(
  root: IndexNode<Entry>,
  method: string,
  path: string,
): RouteMatch<Entry> | undefined {
  const decoded = decodeRequestPath(path);
  if (decoded === undefined) return undefined;
  const requestPath = splitPath(decoded);
  const nodes = [root];
  for (const key of requestPath.keys) {
    const child = nodes.at(-1)?.children.get(key);
    if (child === undefined) break;
    nodes.push(child);
  }
  const wanted = method.toUpperCase();
  for (let depth = nodes.length - 1; depth >= 0; depth -= 1) {
    for (const route of nodes[depth]?.routes ?? []) {
      if (route.methods.size > 0 && !route.methods.has(wanted)) continue;
      const params = matchPath(route.template, requestPath);
      if (params !== undefined) return { entry: route.entry, params };
    }
  }
  return undefined;
}
