import type { Clock, Log, Meter, Random } from '@switchyard/kernel';
import {
  createRouter,
  type FunctionIndex,
  type RejectedFunction,
  type RouteEntry,
  type Router,
} from '@switchyard/model';
import type { FunctionLoadRequest } from '@switchyard/protocol';
import type { BindingContext, Kinds } from '@switchyard/triggers';
import type { FunctionStatus } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';
import { toLoadRequest } from '../worker-stream/load-request.ts';
import { buildEntries, type EntryScope } from './build-entries.ts';
import type { FunctionEntry } from './function-entry.ts';
import type { ResolvedApplication } from './resolve-application.ts';

/** A route that leads to a function. */
export interface FunctionRoute extends RouteEntry {
  readonly entry: FunctionEntry;
}

/** The functions of an app, ready to run; never changes once it is made. */
export interface FunctionCatalog {
  /** Those that can run, in order of name. */
  readonly entries: readonly FunctionEntry[];
  readonly rejected: readonly RejectedFunction[];
  readonly router: Router<FunctionRoute>;
  /** What a worker is told to load: disabled functions come last, but they come. */
  readonly loadRequests: readonly FunctionLoadRequest[];
  readonly status: readonly FunctionStatus[];
  /** A worker listed them; false for those of function.json files. */
  readonly isListed: boolean;
  /** By name, whatever its case. */
  find(functionName: string): FunctionEntry | undefined;
}

export interface CatalogOptions {
  readonly routePrefix: string;
  readonly managedDependencies: boolean;
  readonly functionsLimit: number;
  /** As in the catalogue; false when left out. */
  readonly isListed?: boolean;
}

/** What the functions of an app may use of the Runtime. */
export interface CatalogDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Carries the app's fields. */
  readonly log: Log;
  readonly meter: Meter;
  readonly kinds: Kinds;
}

/** Makes the catalogue of an app's index, with what its settings and host.json say. */
export function createApplicationCatalog(
  index: FunctionIndex,
  application: ResolvedApplication,
  deps: CatalogDeps,
  options: Pick<CatalogOptions, 'functionsLimit' | 'isListed'>,
): FunctionCatalog {
  const { host, settingsView: settings, development, hostId } = application;
  const { applicationId } = application.definition;
  const { clock, random, log, meter, kinds } = deps;
  const contextOf = (functionName: string): BindingContext => {
    const ownLog = log.child({ functionName, category: `Function.${functionName}` });
    return { clock, random, meter, log: ownLog, applicationId, hostId, functionName, settings };
  };
  const { extensions, singleton, retry } = host;
  return createCatalog(
    index,
    { applicationId, settings, kinds, development, extensions, singleton, retry, contextOf },
    { routePrefix: extensions.http.routePrefix, managedDependencies: host.managedDependencyEnabled, ...options },
  );
}

/** Makes the catalogue of an index. A function that cannot run is rejected and harms no other. */
export function createCatalog(index: FunctionIndex, scope: EntryScope, options: CatalogOptions): FunctionCatalog {
  const built = buildEntries(limited(index, scope, options.functionsLimit), scope);
  const router = createRouter(built.entries.flatMap(toRoute), { routePrefix: options.routePrefix });
  const refused = new Map(router.rejected.map(({ entry, error }) => [entry.functionName, error.message]));
  const entries = built.entries.filter(({ metadata }) => !refused.has(metadata.name));
  const rejected = [...built.rejected, ...[...refused].map(([name, reason]) => ({ name, reason }))];
  const byName = new Map(entries.map((entry) => [entry.metadata.name.toLowerCase(), entry]));
  const inLoadOrder = [...entries].sort((a, b) => Number(a.isDisabled) - Number(b.isDisabled));
  return {
    entries,
    rejected,
    router,
    loadRequests: inLoadOrder.map(({ metadata }) => toLoadRequest(metadata, options.managedDependencies)),
    status: entries.map((entry) => toStatus(entry, router)),
    isListed: options.isListed ?? false,
    find: (functionName) => byName.get(functionName.toLowerCase()),
  };
}

function limited(index: FunctionIndex, scope: EntryScope, limit: number): FunctionIndex {
  const count = index.functions.length;
  if (count <= limit) return index;
  const error = runtimeErrors.create('FUNCTION_LIMIT', { applicationId: scope.applicationId, count, limit });
  const rest = index.functions.slice(limit).map(({ name }) => ({ name, reason: error.message }));
  return { functions: index.functions.slice(0, limit), rejected: [...index.rejected, ...rest] };
}

function toRoute(entry: FunctionEntry): FunctionRoute[] {
  if (entry.trigger.kind !== 'route') return [];
  const { route, methods } = entry.trigger.options;
  return [{ functionName: entry.metadata.name, route, methods, entry }];
}

function toStatus(entry: FunctionEntry, router: Router<FunctionRoute>): FunctionStatus {
  const status = { name: entry.metadata.name, trigger: entry.metadata.trigger.type, disabled: entry.isDisabled };
  const route = router.routes.find((candidate) => candidate.entry.entry === entry);
  if (route === undefined || entry.trigger.kind !== 'route') return status;
  const { authLevel } = entry.trigger.options;
  return { ...status, route: { template: route.template.text, methods: [...route.methods], authLevel } };
}
