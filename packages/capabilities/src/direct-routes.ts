import type { LeaseEnds } from './acquired.ts';
import type { HandleOnWire, TargetStub } from './broker-stubs.ts';
import { CapabilityError } from './capability-error.ts';
import type { HostGate } from './contract.ts';
import { connect } from './rpc/connect.ts';
import type { RpcTarget, Session } from './rpc/session.ts';

interface Route {
  readonly session: Session<RpcTarget & HostGate>;
  users: number;
}

/** Connections to hosts, one per address, for as long as a lease uses it. */
export class DirectRoutes {
  readonly #routes = new Map<string, Route>();

  /** The ends of a lease: the host itself where it gave an address. */
  async reach(handle: HandleOnWire): Promise<LeaseEnds> {
    const { target, direct, lease } = handle;
    if (direct === null) {
      if (target === null)
        throw new CapabilityError('SHARD_UNAVAILABLE', `'${handle.name}' came without a target.`, true);
      return endsOf(handle, target, async () => {
        await lease.release();
        target[Symbol.dispose]();
        lease[Symbol.dispose]();
      });
    }
    const route = this.#join(direct.address);
    try {
      const gate = route.session.main as unknown as { redeem(ticket: string): PromiseLike<TargetStub> };
      const redeemed = await gate.redeem(direct.ticket);
      return endsOf(handle, redeemed, async () => {
        await lease.release();
        redeemed[Symbol.dispose]();
        lease[Symbol.dispose]();
        this.#leave(direct.address, route);
      });
    } catch (error) {
      this.#leave(direct.address, route);
      throw error;
    }
  }

  close(): void {
    for (const { session } of this.#routes.values()) session.close();
    this.#routes.clear();
  }

  #join(address: string): Route {
    const route = this.#routes.get(address) ?? { session: connect<RpcTarget & HostGate>(address), users: 0 };
    this.#routes.set(address, route);
    route.users += 1;
    return route;
  }

  #leave(address: string, route: Route): void {
    route.users -= 1;
    if (route.users > 0) return;
    if (this.#routes.get(address) === route) this.#routes.delete(address);
    route.session.close();
  }
}

function endsOf(handle: HandleOnWire, target: TargetStub, release: () => PromiseLike<unknown>): LeaseEnds {
  const { name, version, shard, tier, expiresAtMs, lease } = handle;
  return {
    ...{ name, version, shard, tier, expiresAtMs },
    invoke: (method, parameters, options) => target.invoke(method, parameters, options),
    cancel: (callId) => target.cancel(callId),
    renew: () => lease.renew(),
    release,
  };
}
