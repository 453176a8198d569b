import { createDeferred, type Log, silentLog, systemClock } from '@switchyard/kernel';
import type { Link } from '../link.ts';
import { createRpcChannel, eventStreamPath, type RpcChannel } from '../transport/rpc-channel.ts';
import { createRpcServer, type RpcServer } from '../transport/rpc-server.ts';
import type { OpenedLinks, OpenLinksOptions } from './link-contract.ts';

/** A link over a real socket, with what carries it. */
export interface SocketLinks extends OpenedLinks {
  readonly server: RpcServer;
  readonly channel: RpcChannel;
}

/** Starts a server and a channel on loopback and opens one EventStream between them. */
export async function openSocketLinks(options: OpenLinksOptions = {}, log: Log = silentLog): Promise<SocketLinks> {
  const accepted = createDeferred<Link>();
  const limits = options.limits ?? {};
  const server = createRpcServer(
    { clock: systemClock, log },
    { limits, methods: { [eventStreamPath]: { kind: 'stream', open: (link) => accepted.resolve(link) } } },
  );
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const channel = createRpcChannel({ clock: systemClock }, { endpoint: `http://${host}:${port}`, limits });
  const opener = channel.eventStream(options.metadata ? { metadata: options.metadata } : {});
  const acceptor = await accepted.promise;
  const close = async (): Promise<void> => {
    await Promise.all([channel.close(0), server.close(0)]);
  };
  return { opener, acceptor, server, channel, close };
}
