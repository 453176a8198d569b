/**
 * The apps that a Runtime without a catalog hosted before it was started again: their workers come back by themselves, and
 * callers that come sooner wait for them instead of being told that there is no such app.
 *
 * Phases: waiting (for `graceMs` after the start) -> over.
 * Ownership: the composition root owns it, tells it of every app, and hands every request to it.
 *
 * I1 Only requests for apps that were hosted before wait, only within `graceMs`, and never more than `maxHeld`.
 * I2 A request that waits goes on as soon as its app is hosted, in order; after `graceMs` it is answered 503 with Retry-After.
 * I3 Names are all that is remembered, each before its app can have answered anybody: a Runtime may be killed at any time. A
 *    memory that cannot be read is empty, and one that cannot be written is told.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Edges, type Log, messageOf, StateMachine, type Timer } from '@switchyard/kernel';
import { isApplicationId } from '@switchyard/model';
import type { RequestHandler } from '../http/gateway-server.ts';

/** A small text that outlives the process. */
export interface AppMemory {
  /** Undefined when there is none. */
  read(): Promise<string | undefined>;
  /** The text is there when this returns. */
  write(text: string): void;
}

export interface ReturningAppsDeps {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly log: Log;
  readonly memory: AppMemory;
  /** Names beside `<app>.localhost`, by app. */
  readonly hostNames: ReadonlyMap<string, readonly string[]>;
}

export interface ReturningAppsOptions {
  readonly graceMs: number;
  readonly maxHeld: number;
}

interface Held {
  readonly applicationId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type State = { readonly kind: 'waiting'; readonly held: Held[]; readonly timer: Timer } | { readonly kind: 'over' };

const edges: Edges<State['kind']> = { waiting: ['over'], over: [] };

/** More are not remembered. */
const maxRemembered = 10_000;

export class ReturningApps {
  readonly #deps: ReturningAppsDeps;
  readonly #options: ReturningAppsOptions;
  readonly #handle: RequestHandler;
  readonly #machine: StateMachine<State>;
  /** Apps that were hosted before, by their names, until they are hosted again. */
  readonly #awaited: Map<string, string>;
  readonly #known: Set<string>;

  private constructor(
    deps: ReturningAppsDeps,
    options: ReturningAppsOptions,
    known: ReadonlySet<string>,
    handle: RequestHandler,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#handle = handle;
    this.#known = new Set(known);
    this.#awaited = new Map([...known].flatMap((id) => this.#namesOf(id).map((name): [string, string] => [name, id])));
    const timer = deps.clock.schedule(options.graceMs, () => this.close());
    this.#machine = new StateMachine<State>({ kind: 'waiting', held: [], timer }, edges);
  }

  /** Reads what is remembered. `handle` takes the requests that need not wait. */
  static async open(
    deps: ReturningAppsDeps,
    options: ReturningAppsOptions,
    handle: RequestHandler,
  ): Promise<ReturningApps> {
    return new ReturningApps(deps, options, await readKnown(deps), handle);
  }

  /** Takes every request. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const { state } = this.#machine;
    const applicationId = state.kind === 'waiting' ? this.#awaited.get(nameIn(request)) : undefined;
    if (state.kind === 'over' || applicationId === undefined) this.#handle(request, response);
    else if (state.held.length < this.#options.maxHeld) state.held.push({ applicationId, request, response });
    else sendAway(response);
  }

  /** The Runtime hosts this app. */
  hosted(applicationId: string): void {
    for (const name of this.#namesOf(applicationId)) this.#awaited.delete(name);
    this.#remember(applicationId);
    const { state } = this.#machine;
    if (state.kind === 'over') return;
    const theirs = state.held.filter((held) => held.applicationId === applicationId);
    const others = state.held.filter((held) => held.applicationId !== applicationId);
    state.held.splice(0, state.held.length, ...others);
    for (const { request, response } of theirs) if (!response.destroyed) this.#handle(request, response);
  }

  /** Nobody waits any more. */
  close(): void {
    const { state } = this.#machine;
    if (state.kind === 'over') return;
    this.#machine.transition({ kind: 'over' });
    state.timer.cancel();
    for (const { response } of state.held) sendAway(response);
  }

  #namesOf(applicationId: string): readonly string[] {
    const names = [`${applicationId}.localhost`, ...(this.#deps.hostNames.get(applicationId) ?? [])];
    return names.map((name) => name.toLowerCase());
  }

  #remember(applicationId: string): void {
    if (this.#known.has(applicationId) || this.#known.size >= maxRemembered) return;
    this.#known.add(applicationId);
    try {
      this.#deps.memory.write(JSON.stringify([...this.#known]));
    } catch (thrown) {
      const fields = { applicationId, reason: messageOf(thrown) };
      this.#deps.log.write('warning', 'An app could not be remembered for the next start.', fields);
    }
  }
}

async function readKnown({ memory, log }: ReturningAppsDeps): Promise<ReadonlySet<string>> {
  try {
    const text = await memory.read();
    const json: unknown = text === undefined ? [] : JSON.parse(text);
    const ids = Array.isArray(json) ? json.filter((id): id is string => typeof id === 'string') : [];
    return new Set(ids.filter(isApplicationId).slice(0, maxRemembered));
  } catch (thrown) {
    log.write('warning', 'The apps of the last time are not known.', { reason: messageOf(thrown) });
    return new Set();
  }
}

function nameIn({ headers }: IncomingMessage): string {
  return (headers.host ?? '').replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

function sendAway(response: ServerResponse): void {
  if (response.destroyed) return;
  response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' });
  response.end('The app was here before and has not come back yet. Try again in a second.\n');
}
