/**
 * The client of one broker: connects when it is first needed, and again when the connection was lost.
 *
 * Ownership: whoever creates it closes it. A function uses the ready-made `capabilities` of the environment.
 *
 * I1 One connection serves all requests; after it was lost the next request opens another.
 * I2 Where a host can be reached directly the broker is not on the path of calls; where that fails it is.
 * I3 `use` gives the same binding until its lease is over or lost, and then acquires again.
 * I4 Closing gives back everything, and what is pending fails at once.
 */
import { AcquiredCapabilities, type LeaseEnds } from './acquired.ts';
import type { CapabilityTypes } from './builtin-types.ts';
import { CapabilityError, isCapabilityError } from './capability-error.ts';
import type {
  AcquireMessage,
  AcquireOptions,
  AcquireRecord,
  BrokerGate,
  CapabilityBroker,
  CapabilityInfo,
  CapabilityMethod,
  HandleRecord,
  HealthStatus,
  HostGate,
  InvokeOptions,
  ServiceBinding,
} from './contract.ts';
import { connect, type Endpoint } from './rpc/connect.ts';
import type { RpcTarget, Session } from './rpc/session.ts';

export interface CapabilitiesOptions {
  /** Where the broker is; asked again before every new connection. */
  endpoint(): Endpoint;
  /** Who this is; asked again before every new connection. */
  token(): string;
  /** Epoch milliseconds. */
  now(): number;
}

/** The broker, as a function uses it. */
export interface Capabilities extends CapabilityBroker, AsyncDisposable {
  /** Never rejects for what was not to be had: `get` of the answer throws that, with the reason. */
  acquire(options: AcquireOptions): Promise<AcquiredCapabilities>;
  /** A binding that is acquired once and kept, for code that runs again and again. */
  use<Name extends keyof CapabilityTypes>(name: Name, version?: string): Promise<CapabilityTypes[Name]>;
  use<Methods extends object = Readonly<Record<string, CapabilityMethod>>>(
    name: string,
    version?: string,
  ): Promise<ServiceBinding<Methods>>;
  close(): void;
}

/** Stubs of the library, as far as they are used here: its own types do not carry `unknown` through a call. */
interface TargetStub extends Disposable {
  invoke(method: string, parameters: readonly unknown[], options: InvokeOptions): PromiseLike<unknown>;
}
interface LeaseStub extends Disposable {
  renew(): PromiseLike<number>;
  release(): PromiseLike<unknown>;
}
interface AccountStub {
  list(): PromiseLike<CapabilityInfo[]>;
  acquire(message: AcquireMessage): PromiseLike<AcquireRecord<HandleRecord<LeaseStub, TargetStub>>>;
  release(names: readonly string[]): PromiseLike<unknown>;
  health(): PromiseLike<HealthStatus>;
}
type HandleOnWire = HandleRecord<LeaseStub, TargetStub>;

interface BrokerSession {
  readonly session: Session<RpcTarget & BrokerGate>;
  readonly account: AccountStub;
  readonly endpoint: Endpoint;
}

/** How many kept bindings there may be. */
const maxKept = 256;

export function createCapabilities(options: CapabilitiesOptions): Capabilities {
  const direct = new DirectRoutes();
  const kept = new Map<string, Promise<AcquiredCapabilities>>();
  let current: BrokerSession | undefined;

  const open = (): BrokerSession => {
    if (current !== undefined) return current;
    const endpoint = options.endpoint();
    const session = connect<RpcTarget & BrokerGate>(endpoint);
    // Everything after this is sent along with it, and waits for no answer.
    const account = (session.main as unknown as { authenticate(token: string): unknown }).authenticate(options.token());
    const opened: BrokerSession = { session, account: account as AccountStub, endpoint };
    current = opened;
    session.main.onRpcBroken(() => {
      if (current === opened) current = undefined;
    });
    return opened;
  };

  const request = async (
    message: AcquireOptions,
    reachesHosts: boolean,
    failed?: (error: unknown) => void,
  ): Promise<AcquiredCapabilities> => {
    const { account } = open();
    const record = await account.acquire({ ...message, reachesHosts });
    const reached = await Promise.allSettled(record.handles.map((handle) => direct.reach(handle)));
    const leases = reached.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (leases.length < record.handles.length && reachesHosts) {
      for (const { lease } of record.handles)
        Promise.resolve(lease.release()).then(() => lease[Symbol.dispose](), ignore);
      return request(message, false, failed);
    }
    const { success, missing, failures, warnings } = record;
    const { traceparent } = message;
    const parts = { success, leases, missing, failures, warnings, traceparent, now: options.now };
    return new AcquiredCapabilities({ ...parts, ...(failed && { failed }) });
  };

  const use = async (name: string, version = '*'): Promise<ServiceBinding> => {
    const key = `${name}@${version}`;
    const known = await kept.get(key)?.catch(ignore);
    if (known?.success && known.expiresAtMs > options.now() && current !== undefined) return known.get(name);
    if (kept.size >= maxKept && !kept.has(key))
      throw new CapabilityError(
        'RESOURCE_EXHAUSTED',
        `More than ${maxKept} capabilities are kept. Use acquire, and release.`,
      );
    const acquired = request({ required: [name], version }, onThisMachine(options.endpoint()), (error) => {
      if (!isOver(error) || kept.get(key) !== acquired) return;
      kept.delete(key);
      acquired.then((held) => held.release(), ignore);
    });
    kept.set(key, acquired);
    const held = await acquired.catch((error: unknown) => {
      kept.delete(key);
      throw error;
    });
    if (!held.success) kept.delete(key);
    return held.get(name);
  };

  return {
    list: async () => [...(await open().account.list())],
    health: async () => open().account.health(),
    acquire: async (wanted) => request(wanted, onThisMachine(options.endpoint())),
    use: use as Capabilities['use'],
    release: async (names) => {
      for (const [key, acquired] of kept) {
        if (!names.some((name) => key.startsWith(`${name}@`))) continue;
        kept.delete(key);
        await acquired.then((held) => held.release(), ignore);
      }
      await open().account.release(names);
    },
    close: () => {
      kept.clear();
      direct.close();
      current?.session.close();
      current = undefined;
    },
    async [Symbol.asyncDispose]() {
      this.close();
    },
  };
}

/** Connections to hosts, one per address, for as long as a lease uses it. */
class DirectRoutes {
  readonly #routes = new Map<string, { readonly session: Session<RpcTarget & HostGate>; users: number }>();

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
    const route = this.#routes.get(direct.address) ?? {
      session: connect<RpcTarget & HostGate>(direct.address),
      users: 0,
    };
    this.#routes.set(direct.address, route);
    route.users += 1;
    const leave = (): void => {
      route.users -= 1;
      if (route.users > 0) return;
      if (this.#routes.get(direct.address) === route) this.#routes.delete(direct.address);
      route.session.close();
    };
    try {
      const gate = route.session.main as unknown as { redeem(ticket: string): PromiseLike<TargetStub> };
      const redeemed = await gate.redeem(direct.ticket);
      return endsOf(handle, redeemed, async () => {
        await lease.release();
        redeemed[Symbol.dispose]();
        lease[Symbol.dispose]();
        leave();
      });
    } catch (error) {
      leave();
      throw error;
    }
  }

  close(): void {
    for (const { session } of this.#routes.values()) session.close();
    this.#routes.clear();
  }
}

function endsOf(handle: HandleOnWire, target: TargetStub, release: () => PromiseLike<unknown>): LeaseEnds {
  const { name, version, shard, tier, expiresAtMs, lease } = handle;
  return {
    ...{ name, version, shard, tier, expiresAtMs },
    invoke: (method, parameters, options) => target.invoke(method, parameters, options),
    renew: () => lease.renew(),
    release,
  };
}

/** Only who reaches the broker over a Unix socket shares a machine, and so its hosts' sockets, with it. */
function onThisMachine(endpoint: Endpoint): boolean {
  return typeof endpoint === 'string' && endpoint.startsWith('unix:');
}

/** True when the lease or its host is gone, so that acquiring again may help. */
function isOver(error: unknown): boolean {
  return isCapabilityError(error) && (error.code === 'SHARD_UNAVAILABLE' || error.code === 'RELEASED');
}

function ignore(): undefined {}
