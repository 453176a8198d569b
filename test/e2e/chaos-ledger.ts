/** What a mixed load was answered, and what is wrong with that. */

/** How one request ended. */
export type RequestEnd =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  /** The connection broke; `code` names how. */
  | { readonly kind: 'broken'; readonly code: string };

interface Entry {
  readonly app: string;
  readonly id: string;
  end: RequestEnd | undefined;
}

/** Statuses that say that nobody could answer: a lost worker, an app on its way, too much at once. */
const namedStatuses: ReadonlySet<number> = new Set([404, 429, 500, 502, 503]);

/** How a connection to a Runtime that was killed may end. */
const namedBreaks: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

export class ChaosLedger {
  readonly #requests: Entry[] = [];
  readonly #sent = new Map<string, Set<string>>();
  readonly #processed = new Map<string, Map<string, number>>();
  readonly #foreign: string[] = [];

  /** A request leaves; the answered function takes its end, once. */
  request(app: string, id: string): (end: RequestEnd) => void {
    const entry: Entry = { app, id, end: undefined };
    this.#requests.push(entry);
    return (end) => {
      if (entry.end !== undefined) this.#foreign.push(`${app} request ${id} ended twice`);
      entry.end = end;
    };
  }

  /** A message was taken by a queue. */
  sent(app: string, id: string): void {
    const ids = this.#sent.get(app) ?? new Set();
    this.#sent.set(app, ids.add(id));
  }

  /** A message of the queue of `app` was processed by the app that calls itself `by`. */
  processed(app: string, by: string, id: string): void {
    if (by !== app || this.#sent.get(app)?.has(id) !== true) {
      this.#foreign.push(`message '${id}' of the queue of ${app} was processed by ${by}`);
      return;
    }
    const counts = this.#processed.get(app) ?? new Map<string, number>();
    this.#processed.set(app, counts.set(id, (counts.get(id) ?? 0) + 1));
  }

  /** Messages that nobody has processed yet. */
  missing(app: string): readonly string[] {
    return [...(this.#sent.get(app) ?? [])].filter((id) => this.#processed.get(app)?.has(id) !== true);
  }

  /** Requests of an app that it has answered itself. */
  succeeded(app: string): number {
    return this.#requests.filter((entry) => entry.app === app && isSuccess(entry)).length;
  }

  /** Everything that must not be; empty when all is as it should be. */
  violations(): readonly string[] {
    const found = [...this.#foreign];
    for (const { app, id, end } of this.#requests) {
      if (end === undefined) found.push(`${app} request ${id} was never answered`);
      else if (end.kind === 'broken' && !namedBreaks.has(end.code)) found.push(`${app} request ${id}: ${end.code}`);
      else if (end.kind === 'answered' && end.status === 200 && end.text !== `${app}:${id}`) {
        found.push(`${app} request ${id} was answered by '${end.text}'`);
      } else if (end.kind === 'answered' && end.status !== 200 && !namedStatuses.has(end.status)) {
        found.push(`${app} request ${id} was answered ${end.status}`);
      }
    }
    for (const app of this.#sent.keys()) {
      const missing = this.missing(app);
      if (missing.length > 0) found.push(`${app} has not processed ${missing.length} messages: ${missing.slice(0, 5)}`);
    }
    return found;
  }

  /** A line for people. */
  summary(): string {
    const ends = new Map<string, number>();
    for (const { end } of this.#requests) {
      const name = end === undefined ? 'open' : end.kind === 'broken' ? end.code : String(end.status);
      ends.set(name, (ends.get(name) ?? 0) + 1);
    }
    const messages = [...this.#processed].map(([app, counts]) => {
      const times = [...counts.values()].reduce((sum, count) => sum + count, 0);
      return `${app}: ${counts.size} messages, processed ${times} times`;
    });
    const requests = [...ends].map(([name, count]) => `${count} x ${name}`);
    return `${this.#requests.length} requests (${requests.join(', ')}); ${messages.join('; ')}`;
  }
}

function isSuccess({ app, id, end }: Entry): boolean {
  return end?.kind === 'answered' && end.status === 200 && end.text === `${app}:${id}`;
}
