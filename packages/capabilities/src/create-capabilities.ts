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
import { AcquiredCapabilities } from './acquired.ts';
import type { AccountStub, GateStub } from './broker-stubs.ts';
import type { CapabilityTypes } from './builtin-types.ts';
import { CapabilityError, isCapabilityError } from './capability-error.ts';
import type {
  AcquireOptions,
  BrokerGate,
  CapabilityBroker,
  CapabilityInfo,
  CapabilityMethod,
  HealthStatus,
  ServiceBinding,
} from './contract.ts';
import { DirectRoutes } from './direct-routes.ts';
import { connect, type Endpoint } from './rpc/connect.ts';
import type { RpcTarget, Session } from './rpc/session.ts';

export interface CapabilitiesOptions {
  /** Where the broker is; asked again before every new connection. */
  endpoint(): Endpoint;
  /** Who this is; asked again before every new connection. */
  token(): string;
  /** Epoch milliseconds. */
  now(): number;
  /** The trace context of the code that runs, for requests and calls that name none; undefined where there is none. */
  traceparent?(): string | undefined;
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

interface BrokerSession {
  readonly session: Session<RpcTarget & BrokerGate>;
  readonly account: AccountStub;
}

/** How many kept bindings there may be. */
const maxKept = 256;

export function createCapabilities(options: CapabilitiesOptions): Capabilities {
  return new CapabilitiesClient(options);
}

class CapabilitiesClient implements Capabilities {
  readonly #options: CapabilitiesOptions;
  readonly #direct = new DirectRoutes();
  readonly #kept = new Map<string, Promise<AcquiredCapabilities>>();
  #current: BrokerSession | undefined;

  constructor(options: CapabilitiesOptions) {
    this.#options = options;
  }

  async list(): Promise<CapabilityInfo[]> {
    return [...(await this.#open().account.list())];
  }

  async health(): Promise<HealthStatus> {
    return this.#open().account.health();
  }

  async acquire(wanted: AcquireOptions): Promise<AcquiredCapabilities> {
    return this.#request(wanted, onThisMachine(this.#options.endpoint()));
  }

  async use(name: string, version = '*'): Promise<never> {
    const key = `${name}@${version}`;
    const known = await this.#kept.get(key)?.catch(ignore);
    if (known?.success && known.expiresAtMs > this.#options.now() && this.#current !== undefined)
      return known.get(name) as never;
    if (this.#kept.size >= maxKept && !this.#kept.has(key)) {
      const message = `More than ${maxKept} capabilities are kept. Use acquire, and release.`;
      throw new CapabilityError('RESOURCE_EXHAUSTED', message);
    }
    const acquired = this.#request({ required: [name], version }, onThisMachine(this.#options.endpoint()), (error) => {
      if (!isOver(error) || this.#kept.get(key) !== acquired) return;
      this.#kept.delete(key);
      acquired.then((held) => held.release(), ignore);
    });
    this.#kept.set(key, acquired);
    const held = await acquired.catch((error: unknown) => {
      this.#kept.delete(key);
      throw error;
    });
    if (!held.success) this.#kept.delete(key);
    return held.get(name) as never;
  }

  async release(names: string[]): Promise<void> {
    if (!Array.isArray(names)) throw new CapabilityError('INVALID_PAYLOAD', 'Give release a list of names.');
    for (const [key, acquired] of this.#kept) {
      if (!names.some((name) => key.startsWith(`${name}@`))) continue;
      this.#kept.delete(key);
      await acquired.then((held) => held.release(), ignore);
    }
    await this.#open().account.release(names);
  }

  close(): void {
    this.#kept.clear();
    this.#direct.close();
    this.#current?.session.close();
    this.#current = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #open(): BrokerSession {
    if (this.#current !== undefined) return this.#current;
    const session = connect<RpcTarget & BrokerGate>(this.#options.endpoint());
    // Everything after this is sent along with it, and waits for no answer.
    const account = (session.main as unknown as GateStub).authenticate(this.#options.token());
    const opened: BrokerSession = { session, account };
    this.#current = opened;
    session.main.onRpcBroken(() => {
      if (this.#current === opened) this.#current = undefined;
    });
    return opened;
  }

  async #request(
    wanted: AcquireOptions,
    reachesHosts: boolean,
    failed?: (error: unknown) => void,
  ): Promise<AcquiredCapabilities> {
    const traceparent = wanted.traceparent ?? this.#options.traceparent?.();
    const traced = traceparent === undefined ? {} : { traceparent };
    const record = await this.#open().account.acquire({ ...wanted, ...traced, reachesHosts });
    const reached = await Promise.allSettled(record.handles.map((handle) => this.#direct.reach(handle)));
    const leases = reached.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (leases.length < record.handles.length && reachesHosts) {
      for (const { lease } of record.handles)
        Promise.resolve(lease.release()).then(() => lease[Symbol.dispose](), ignore);
      return this.#request(wanted, false, failed);
    }
    const { success, missing, failures, warnings } = record;
    const current = (): string | undefined => wanted.traceparent ?? this.#options.traceparent?.();
    const parts = { success, leases, missing, failures, warnings, traceparent: current, now: this.#options.now };
    return new AcquiredCapabilities({ ...parts, ...(failed && { failed }) });
  }
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
