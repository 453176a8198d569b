/** Processes, network and client of a handler that does what a test tells it. */
import { createDeferred } from '@switchyard/kernel';
import type {
  HandlerClient,
  HandlerExit,
  HandlerLaunch,
  HandlerNetwork,
  HandlerOutcome,
  HandlerProcesses,
  HandlerRequest,
} from '../handler/ports.ts';

export interface FakeProcess {
  readonly launch: HandlerLaunch;
  /** Every signal that it got while it lived. */
  readonly signals: readonly string[];
  readonly isAlive: boolean;
  exit(exit: HandlerExit): void;
}

export interface FakeProcesses extends HandlerProcesses {
  readonly started: readonly FakeProcess[];
}

/** `obedient` ones end on SIGTERM; all end on SIGKILL. */
export function createFakeProcesses(options: { readonly obedient: boolean }): FakeProcesses {
  const started: FakeProcess[] = [];
  return {
    started,
    start(launch) {
      const exited = createDeferred<HandlerExit>();
      const signals: string[] = [];
      let alive = true;
      const exit = (end: HandlerExit): void => {
        alive = false;
        exited.resolve(end);
      };
      started.push({
        launch,
        signals,
        get isAlive() {
          return alive;
        },
        exit,
      });
      return {
        exited: exited.promise,
        kill(signal) {
          if (!alive) return;
          signals.push(signal);
          if (options.obedient || signal === 'SIGKILL') exit({ kind: 'exited', exitCode: null, signal });
        },
      };
    },
  };
}

export interface FakeNetwork extends HandlerNetwork {
  /** How often a port was tried. */
  readonly probes: number;
  /** Ports that take connections. */
  readonly open: Set<number>;
}

/** Free ports count up from 40000. */
export function createFakeNetwork(): FakeNetwork {
  const open = new Set<number>();
  let probes = 0;
  let nextPort = 40_000;
  return {
    open,
    get probes() {
      return probes;
    },
    freePort: async () => nextPort++,
    async accepts(port) {
      probes += 1;
      return open.has(port);
    },
  };
}

export interface FakeClient extends HandlerClient {
  readonly requests: readonly HandlerRequest[];
  /** The bodies of all requests so far, as JSON. */
  readonly envelopes: readonly unknown[];
  /** Answers every request from now on; `hang` never answers until it is aborted. */
  answer: (request: HandlerRequest) => HandlerOutcome | 'hang';
}

/** Answers every request with an empty 200 until a test says otherwise. */
export function createFakeClient(): FakeClient {
  const requests: HandlerRequest[] = [];
  const client: FakeClient = {
    requests,
    get envelopes() {
      return requests.map(({ body }) => JSON.parse(new TextDecoder().decode(body)) as unknown);
    },
    answer: () => replied(200, ''),
    send(request, signal) {
      requests.push(request);
      const outcome = client.answer(request);
      if (outcome !== 'hang') return Promise.resolve(outcome);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'aborted' })));
    },
    close: () => {},
  };
  return client;
}

/** An answer with a body of text or bytes. */
export function replied(
  status: number,
  body: string | Uint8Array,
  headers: readonly (readonly [string, string])[] = [],
): HandlerOutcome {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { kind: 'replied', reply: { status, statusText: '', headers, body: bytes } };
}
