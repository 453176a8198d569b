import { type Clock, createDeferred } from '@switchyard/kernel';
import { createRpcServer, eventStreamPath, type Link } from '@switchyard/protocol';
import { ScriptedHost } from './scripted-host.ts';

/** What a message may weigh between the two. */
const maxMessageBytes = 256 * 1024 * 1024;

/** A server that makes a ScriptedHost of every worker that connects. */
export interface ScriptedHostServer {
  readonly port: number;
  /** The host of the next worker that connects, in order. */
  accept(): Promise<ScriptedHost>;
  /** The command line for a worker of this server. */
  workerArguments(workerId: string): string[];
  close(): Promise<void>;
}

/** Listens on a free port of the loopback interface. */
export async function openScriptedHostServer(clock: Clock): Promise<ScriptedHostServer> {
  const waiting: ((host: ScriptedHost) => void)[] = [];
  const connected: ScriptedHost[] = [];
  const open = (link: Link): void => {
    const host = new ScriptedHost(link);
    const taker = waiting.shift();
    if (taker) taker(host);
    else connected.push(host);
  };
  const limits = { maxMessageBytes, maxBufferedBytes: 2 * maxMessageBytes };
  const server = createRpcServer({ clock }, { methods: { [eventStreamPath]: { kind: 'stream', open } }, limits });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    port,
    accept() {
      const host = connected.shift();
      if (host) return Promise.resolve(host);
      const deferred = createDeferred<ScriptedHost>();
      waiting.push(deferred.resolve);
      return deferred.promise;
    },
    workerArguments: (workerId) => toArguments(port, workerId),
    close: () => server.close(0),
  };
}

/** Both generations of arguments, as the official host passes them. */
function toArguments(port: number, workerId: string): string[] {
  const length = String(2 ** 31 - 1);
  const requestId = `start-${workerId}`;
  const first = { host: '127.0.0.1', port, workerId, requestId, grpcMaxMessageLength: length };
  const second = {
    'functions-uri': `http://127.0.0.1:${port}/`,
    'functions-worker-id': workerId,
    'functions-request-id': requestId,
    'functions-grpc-max-message-length': length,
  };
  return Object.entries({ ...first, ...second }).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
