/** What the worker needs of the world, so that all of it can be tested without one. */

/** The handler's process, to be started. Its output goes where this process' output goes. */
export interface HandlerLaunch {
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly directory: string;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
}

export type HandlerExit =
  | { readonly kind: 'exited'; readonly exitCode: number | null; readonly signal: string | null }
  /** It never ran. */
  | { readonly kind: 'not-started'; readonly reason: string };

export interface HandlerProcess {
  /** Resolves once, when the process is gone. Never rejects. */
  readonly exited: Promise<HandlerExit>;
  /** Harmless once it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface HandlerProcesses {
  start(launch: HandlerLaunch): HandlerProcess;
}

export interface HandlerNetwork {
  /** A port of 127.0.0.1 that nobody holds right now. */
  freePort(): Promise<number>;
  /** True when somebody takes connections there. Never rejects; `signal` makes it answer false. */
  accepts(port: number, signal: AbortSignal): Promise<boolean>;
}

/** One request to the handler. */
export interface HandlerRequest {
  readonly port: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** The whole answer, as it came over the wire. */
export interface HandlerReply {
  readonly status: number;
  readonly statusText: string;
  /** In order; a name may stand there more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export type HandlerOutcome =
  | { readonly kind: 'replied'; readonly reply: HandlerReply }
  /** The connection could not be made, or ended without a whole answer. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'too-long'; readonly limitBytes: number }
  /** HTTP cannot carry such a request. */
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'aborted' };

export interface HandlerClient {
  /** Sends a request and reads the whole answer. Never rejects; redirects are answers. */
  send(request: HandlerRequest, signal: AbortSignal): Promise<HandlerOutcome>;
  /** Ends idle connections. */
  close(): void;
}
