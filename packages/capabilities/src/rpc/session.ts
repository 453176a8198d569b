import { type AnyRpcTransport, type RpcCompatible, RpcSession, type RpcStub, type RpcTarget } from 'capnweb';

export { RpcStub, RpcTarget } from 'capnweb';

/** How a session treats its peer. */
export interface SessionOptions {
  /** What the peer finds as this side's main object. */
  readonly main?: RpcTarget;
  /** Rewrites every error that leaves, so that none carries more than it should. */
  readonly onSendError?: (error: Error) => Error;
  /** How deep a message of the peer may nest; deeper ones end the session. */
  readonly maxDepth?: number;
  /** How long a message of the peer may be, in UTF-16 units. */
  readonly maxMessageSize?: number;
}

/** One conversation with a peer. */
export interface Session<Main extends RpcCompatible<Main>> {
  /** The peer's main object. */
  readonly main: RpcStub<Main>;
  /** How many objects this side holds for the peer. */
  exports(): number;
  /** Resolves when everything that the peer waits for was sent; rejects when the session ends before. */
  drain(): Promise<void>;
  /** Ends the session: everything pending on either side rejects. */
  close(): void;
}

/** Starts a session; the transport belongs to it. */
export function openSession<Main extends RpcCompatible<Main> = undefined>(
  transport: AnyRpcTransport,
  { main, onSendError, maxDepth, maxMessageSize }: SessionOptions = {},
): Session<Main> {
  ensureWithResolvers();
  const session = new RpcSession<Main>(transport, main, {
    ...(onSendError && { onSendError }),
    limits: { ...(maxDepth !== undefined && { maxDepth }), ...(maxMessageSize !== undefined && { maxMessageSize }) },
  });
  const remote = session.getRemoteMain();
  return {
    main: remote,
    exports: () => session.getStats().exports,
    drain: () => session.drain(),
    close: () => remote[Symbol.dispose](),
  };
}

/** capnweb needs `Promise.withResolvers`, which Node.js 20 does not have. */
function ensureWithResolvers(): void {
  if (typeof Promise.withResolvers === 'function') return;
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: <T>(): PromiseWithResolvers<T> => {
      let resolve: PromiseWithResolvers<T>['resolve'] = () => {};
      let reject: PromiseWithResolvers<T>['reject'] = () => {};
      const promise = new Promise<T>((onResolve, onReject) => {
        resolve = onResolve;
        reject = onReject;
      });
      return { promise, resolve, reject };
    },
  });
}
