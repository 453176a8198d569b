/**
 * Which pod the next request of a service goes to.
 *
 * I1 Of any 100 requests in a row each version gets as many as its weight says, spread evenly.
 * I2 Within a version the pod with the fewest requests under way gets the next one, and none beyond its limit.
 */
import type { TrafficShare } from '@switchyard/protocol/control-api';
import { servingOf } from '../observed-shares.ts';
import type { AgentService } from './agent-services.ts';
import type { SeenPod } from './plan-pods.ts';

export type RouteChoice =
  | { readonly kind: 'pod'; readonly endpoint: string; done(): void }
  | { readonly kind: 'unknown' }
  /** No pod of the version is ready. */
  | { readonly kind: 'down' }
  /** Each has as many requests as it may have. */
  | { readonly kind: 'full' };

interface Route {
  readonly shares: readonly TrafficShare[];
  readonly endpoints: ReadonlyMap<string, readonly string[]>;
  readonly concurrency: number;
  /** How much each version is owed, in percent of a request. */
  readonly owed: Map<string, number>;
}

export class ServiceRoutes {
  readonly #routes = new Map<string, Route>();
  readonly #inFlight = new Map<string, number>();

  /** Takes what was seen of a service for what is. */
  set({ serviceId, weights, limits }: AgentService, pods: readonly SeenPod[]): void {
    const shares = servingOf(weights);
    const ready = pods.filter((pod) => pod.serviceId === serviceId && pod.isReady && !pod.isLeaving);
    const endpoints = new Map(
      shares.map(({ version }) => [
        version,
        ready.flatMap((pod) => (pod.version === version && pod.endpoint !== undefined ? [pod.endpoint] : [])),
      ]),
    );
    const owed = this.#routes.get(serviceId)?.owed ?? new Map<string, number>();
    for (const version of owed.keys()) if (!endpoints.has(version)) owed.delete(version);
    const concurrency = limits.concurrency ?? Number.MAX_SAFE_INTEGER;
    this.#routes.set(serviceId, { shares, endpoints, concurrency, owed });
  }

  remove(serviceId: string): void {
    this.#routes.delete(serviceId);
  }

  /** A pod that does not answer gets nothing until it is seen ready again. */
  suspend(serviceId: string, endpoint: string): void {
    const route = this.#routes.get(serviceId);
    if (route === undefined) return;
    const endpoints = new Map(
      [...route.endpoints].map(([version, all]) => [version, all.filter((one) => one !== endpoint)] as const),
    );
    this.#routes.set(serviceId, { ...route, endpoints });
  }

  choose(serviceId: string): RouteChoice {
    const route = this.#routes.get(serviceId);
    if (route === undefined) return { kind: 'unknown' };
    const version = nextVersion(route);
    const endpoints = version === undefined ? [] : (route.endpoints.get(version) ?? []);
    if (endpoints.length === 0) return { kind: 'down' };
    const free = endpoints.filter((endpoint) => this.#countOf(endpoint) < route.concurrency);
    const [first] = free;
    if (first === undefined) return { kind: 'full' };
    const endpoint = free.reduce((best, one) => (this.#countOf(one) < this.#countOf(best) ? one : best), first);
    this.#inFlight.set(endpoint, this.#countOf(endpoint) + 1);
    return { kind: 'pod', endpoint, done: () => this.#release(endpoint) };
  }

  #countOf(endpoint: string): number {
    return this.#inFlight.get(endpoint) ?? 0;
  }

  #release(endpoint: string): void {
    const left = this.#countOf(endpoint) - 1;
    if (left > 0) this.#inFlight.set(endpoint, left);
    else this.#inFlight.delete(endpoint);
  }
}

/** Each gets its weight on account, and whoever is owed most is served and pays for a whole request. */
function nextVersion({ shares, owed }: Route): string | undefined {
  let next: string | undefined;
  for (const { version, weight } of shares) {
    owed.set(version, (owed.get(version) ?? 0) + weight);
    if (next === undefined || (owed.get(version) ?? 0) > (owed.get(next) ?? 0)) next = version;
  }
  if (next !== undefined) owed.set(next, (owed.get(next) ?? 0) - 100);
  return next;
}
