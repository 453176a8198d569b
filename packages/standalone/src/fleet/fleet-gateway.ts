/**
 * Finds the Runtime for each request: by its host name the app, and of the Runtimes that serve that the least loaded one.
 *
 * Ownership: the composition root hands every request of the gateway to it.
 *
 * I1 A request goes to a Runtime that serves its app; where that is the one of this process alone, straight there.
 * I2 While no Runtime serves an app that is known, its requests wait: at most `maxHeld` of them, and at most `holdMs`, then they
 *    are answered 503 with FLEET_NO_RUNTIME.
 * I3 With sticky traffic a caller goes to the same Runtime while those that serve stay.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Timer, TransientMap, TransientSet } from '@switchyard/kernel';
import type { RequestHandler } from '../http/gateway-server.ts';
import { fleetErrors } from './errors.ts';
import { type FleetApp, hostNamesOf } from './fleet-app.ts';
import type { FleetMember } from './fleet-places.ts';
import type { FleetRuntime } from './fleet-runtime.ts';
import { type ForwardTarget, forwardRequest } from './forward-request.ts';

export interface FleetGatewayDeps {
  readonly clock: Clock;
  readonly fleet: Pick<FleetRuntime, 'apps' | 'app' | 'servingOf'>;
  /** The Runtime of this process. */
  readonly local: RequestHandler;
  readonly targetOf: (runtimeId: string) => ForwardTarget | undefined;
}

export interface FleetGatewayOptions {
  readonly holdMs: number;
  readonly maxHeld: number;
}

interface Held {
  readonly applicationId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly timer: Timer;
}

export const fleetGatewayDefaults: FleetGatewayOptions = { holdMs: 30_000, maxHeld: 1_000 };

export class FleetGateway {
  readonly #deps: FleetGatewayDeps;
  readonly #options: FleetGatewayOptions;
  readonly #held = new TransientSet<Held>();
  /** Requests that are under way, by app and Runtime. */
  readonly #inFlight = new TransientMap<string, number>();
  #names = new Map<string, string>();

  constructor(deps: FleetGatewayDeps, options: FleetGatewayOptions = fleetGatewayDefaults) {
    this.#deps = deps;
    this.#options = options;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const app = this.#appOf(request);
    if (app === undefined) this.#deps.local(request, response);
    else this.#send(app, request, response, new Set());
  }

  /** Where apps are has changed: what waits may go on. */
  look(): void {
    this.#names = new Map(
      this.#deps.fleet.apps.flatMap((app) => hostNamesOf(app).map((name) => [name, app.applicationId])),
    );
    for (const held of [...this.#held]) {
      const app = this.#deps.fleet.app(held.applicationId);
      if (app !== undefined && this.#deps.fleet.servingOf(held.applicationId).length === 0) continue;
      held.timer.cancel();
      this.#held.delete(held);
      if (held.response.destroyed) continue;
      if (app === undefined) this.#deps.local(held.request, held.response);
      else this.#send(app, held.request, held.response, new Set());
    }
  }

  close(): void {
    for (const { applicationId, response, timer } of this.#held) {
      timer.cancel();
      sendAway(response, applicationId, 'the installation ends');
    }
    this.#held.clear();
  }

  #appOf(request: IncomingMessage): FleetApp | undefined {
    const name = (request.headers.host ?? '').replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
    const applicationId = this.#names.get(name);
    return applicationId === undefined ? undefined : this.#deps.fleet.app(applicationId);
  }

  #send(app: FleetApp, request: IncomingMessage, response: ServerResponse, tried: Set<string>): void {
    const { applicationId } = app;
    const serving = this.#deps.fleet.servingOf(applicationId).filter(({ runtimeId }) => !tried.has(runtimeId));
    const chosen = this.#choose(app, serving, request);
    if (chosen === undefined) this.#hold(applicationId, request, response);
    else if (chosen.kind === 'local') this.#serveHere(applicationId, chosen, request, response);
    else {
      const target = this.#deps.targetOf(chosen.runtimeId);
      tried.add(chosen.runtimeId);
      if (target === undefined) this.#send(app, request, response, tried);
      else {
        const end = this.#begin(applicationId, chosen.runtimeId);
        const onUnreachable = (): void => this.#send(app, request, response, tried);
        forwardRequest(target, request, response, { onUnreachable, onEnd: end });
      }
    }
  }

  #serveHere(
    applicationId: string,
    { runtimeId }: FleetMember,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    response.once('close', this.#begin(applicationId, runtimeId));
    this.#deps.local(request, response);
  }

  #begin(applicationId: string, runtimeId: string): () => void {
    const key = `${applicationId}\n${runtimeId}`;
    this.#inFlight.set(key, (this.#inFlight.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#inFlight.get(key) ?? 1) - 1;
      if (left > 0) this.#inFlight.set(key, left);
      else this.#inFlight.delete(key);
    };
  }

  #choose(app: FleetApp, serving: readonly FleetMember[], request: IncomingMessage): FleetMember | undefined {
    if (serving.length < 2) return serving[0];
    const stickyBy = app.traffic?.options?.stickyBy;
    if (stickyBy !== undefined) return chooseFor(callerIn(request, stickyBy), serving);
    const loads = serving.map((member) => ({ member, load: this.#loadOf(app.applicationId, member) }));
    return loads.reduce((least, one) => (one.load < least.load ? one : least)).member;
  }

  /** Requests for each ready worker; one that has none is asked last. */
  #loadOf(applicationId: string, { runtimeId, runtime }: FleetMember): number {
    const ready = runtime.load(applicationId).reduce((sum, { readyCount }) => sum + readyCount, 0);
    const inFlight = this.#inFlight.get(`${applicationId}\n${runtimeId}`) ?? 0;
    return ready === 0 ? Number.MAX_SAFE_INTEGER : (inFlight + 1) / ready;
  }

  #hold(applicationId: string, request: IncomingMessage, response: ServerResponse): void {
    const { holdMs, maxHeld } = this.#options;
    if (this.#held.size >= maxHeld) {
      sendAway(response, applicationId, `${maxHeld} requests wait for a Runtime already`);
      return;
    }
    const timer = this.#deps.clock.schedule(holdMs, () => {
      this.#held.delete(held);
      sendAway(response, applicationId, `none was there within ${holdMs / 1_000} s`);
    });
    const held = { applicationId, request, response, timer };
    this.#held.add(held);
  }
}

/** The Runtime with the highest digest for a caller: when one leaves, only its own callers move. */
function chooseFor(caller: string, serving: readonly FleetMember[]): FleetMember | undefined {
  const rank = ({ runtimeId }: FleetMember): string =>
    createHash('sha256').update(`${runtimeId}\n${caller}`).digest('hex');
  return serving.toSorted((one, other) => (rank(one) < rank(other) ? 1 : -1))[0];
}

function callerIn({ headers, socket }: IncomingMessage, stickyBy: 'address' | { readonly header: string }): string {
  const named = stickyBy === 'address' ? undefined : headers[stickyBy.header.toLowerCase()];
  return named === undefined ? (socket.remoteAddress ?? '') : String(named);
}

function sendAway(response: ServerResponse, applicationId: string, reason: string): void {
  if (response.destroyed) return;
  const { code, message, definition } = fleetErrors.create('FLEET_NO_RUNTIME', { applicationId, reason });
  response.writeHead(definition.http, {
    'retry-after': '1',
    'content-type': 'text/plain; charset=utf-8',
    'x-switchyard-error': code,
  });
  response.end(`${code}: ${message}\n`);
}
