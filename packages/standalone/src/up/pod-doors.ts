/**
 * The ways into the pods of one tenant: a port for each worker, so that a call beside its stream is known to be its own.
 *
 * Where the tenant's workers run as a user of their own, calls of every other user of the machine are refused: a port of
 * this machine is open to all who are on it.
 */
import { type Log, systemClock } from '@switchyard/kernel';
import {
  createRpcServer,
  eventStreamPath,
  grpcStatus,
  type Link,
  type LinkStatus,
  type RpcServer,
  relayCalls,
  settlementCalls,
  settlementPath,
} from '@switchyard/protocol';
import type { PlaceholderPodsDeps } from '@switchyard/sidecar';
import { userOfPeer } from './tenants/peer-user.ts';

export interface PodDoorsOptions {
  /** The user of the tenant's workers; undefined when they have none of their own. */
  readonly uid: number | undefined;
  /** Takes the stream of a worker. */
  readonly acceptWorker: (link: Link) => void;
}

const loopback = '127.0.0.1';

export function createPodDoors(log: Log, { uid, acceptWorker }: PodDoorsOptions): PlaceholderPodsDeps['openDoor'] {
  return async (sidecar) => {
    const calls = relayCalls(settlementCalls.map(settlementPath), async (call, peer) => {
      if (uid === undefined) return await sidecar.callRuntime(call);
      const caller = await userOfPeer({ peer, port: rpc.address?.port ?? 0 });
      if (caller === undefined) return nobody;
      return caller === uid ? await sidecar.callRuntime(call) : foreigner;
    });
    const rpc: RpcServer = createRpcServer(
      { clock: systemClock, log },
      // A worker that is busy with synchronous user code, which is legal, answers no ping.
      { methods: { [eventStreamPath]: { kind: 'stream', open: acceptWorker }, ...calls }, keepAlive: 'off' },
    );
    return { endpoint: await rpc.listen({ host: loopback, port: 0 }), close: () => rpc.close(0) };
  };
}

const nobody: LinkStatus = {
  code: grpcStatus.unavailable,
  message: 'the machine does not tell whose call this is; call again',
};

const foreigner: LinkStatus = {
  code: grpcStatus.permissionDenied,
  message: 'this port is for the worker of another user of the machine',
};
