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
      const isOwn = uid === undefined || (await userOfPeer(peer)) === uid;
      return isOwn ? await sidecar.callRuntime(call) : foreigner;
    });
    const rpc = createRpcServer(
      { clock: systemClock, log },
      // A worker that is busy with synchronous user code, which is legal, answers no ping.
      { methods: { [eventStreamPath]: { kind: 'stream', open: acceptWorker }, ...calls }, keepAlive: 'off' },
    );
    return { endpoint: await rpc.listen({ host: loopback, port: 0 }), close: () => rpc.close(0) };
  };
}

const foreigner: LinkStatus = {
  code: grpcStatus.permissionDenied,
  message: 'this port is for the worker of another user of the machine',
};
