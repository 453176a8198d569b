import type { CapabilityTarget, RpcTarget } from '@switchyard/capabilities';
import type { CapabilityHostContract, DependencyTargets, OpenOrder } from './host-contract.ts';

/** The host's main object, as the session sees it. */
export type RemoteHost = RpcTarget & CapabilityHostContract;

/** What of a stub this package uses; the library's own types do not follow `unknown` through a call. */
interface HostStub {
  describe(): PromiseLike<unknown>;
  ping(): PromiseLike<unknown>;
  load(order: unknown): PromiseLike<unknown>;
  open(order: OpenOrder, dependencies: DependencyTargets): PromiseLike<unknown>;
  end(leaseId: string): PromiseLike<unknown>;
  unload(key: string): PromiseLike<unknown>;
  listen(path: string): PromiseLike<unknown>;
  stats(): PromiseLike<unknown>;
}

/** Gives a remote host the shape of a local one. */
export function asHost(main: object): CapabilityHostContract {
  const stub = main as HostStub;
  const ask = async <T>(answer: PromiseLike<unknown>): Promise<T> => (await answer) as T;
  return {
    describe: () => ask(stub.describe()),
    ping: () => ask(stub.ping()),
    load: (order) => ask(stub.load(order)),
    open: (order, dependencies) => ask<CapabilityTarget>(stub.open(order, dependencies)),
    end: (leaseId) => ask(stub.end(leaseId)),
    unload: (key) => ask(stub.unload(key)),
    listen: (path) => ask(stub.listen(path)),
    stats: () => ask(stub.stats()),
  };
}
