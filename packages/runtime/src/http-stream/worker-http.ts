/** The way from the Runtime to workers that take HTTP themselves: a port, because it leads through a proxy in some places. */
import type { ClientRequest } from 'node:http';

/** One request for a worker. */
export interface WorkerHttpRequest {
  /** Where the worker takes requests, as its capability HttpUri says. */
  readonly httpUri: string;
  readonly method: string;
  /** Path and query as the caller sent them; begins with a slash. */
  readonly target: string;
  /** Every header, name and value alternating. Nothing is added to them, so they say how the body is framed. */
  readonly headers: readonly string[];
}

/** Opens requests to workers, over connections of its own. */
export interface WorkerHttp {
  /**
   * Begins a request; its owner sends the body, ends or destroys it. The request is an error event when no connection comes
   * about; nothing is tried again here. Throws a PlatformError for an address that may not be called.
   */
  open(request: WorkerHttpRequest): ClientRequest;
}
