/** A broker with one capability, for tests of the client. */
import { type AcquireMessage, type AcquireRecord, type HandleRecord, RpcTarget } from '../index.ts';

const limits = { maxConcurrentCalls: 1, maxPayloadBytes: 1, maxExecutionMs: 1 };

export class FakeBroker {
  readonly messages: AcquireMessage[] = [];
  readonly tokens: string[] = [];
  readonly released: string[] = [];
  readonly dropped: string[] = [];
  readonly calls: unknown[] = [];
  renewals = 0;
  nowMs = 1_000;
  /** Where hosts are said to be. */
  direct: string | null = null;
  /** What the next calls fail with. */
  failure: Error | undefined;

  gate(): RpcTarget {
    return new FakeGate(this);
  }

  record(message: AcquireMessage): AcquireRecord {
    this.messages.push(message);
    const names = [...(message.required ?? []), ...(message.capabilities ?? [])];
    const unknown = names.filter((name) => name !== 'probe');
    const failures = unknown.map((name) => ({
      name,
      code: 'CAPABILITY_NOT_FOUND',
      message: `no '${name}'`,
      retryable: false,
    }));
    const success = unknown.length === 0;
    return {
      success,
      failures,
      warnings: [],
      missing: success ? [] : names,
      handles: success ? [this.#handle(message)] : [],
    };
  }

  #handle(message: AcquireMessage): HandleRecord {
    const leaseId = `lease-${this.messages.length}`;
    const direct = message.reachesHosts && this.direct !== null ? { address: this.direct, ticket: leaseId } : null;
    const target = direct === null ? new FakeTarget(this, 'broker') : null;
    const identity = {
      name: 'probe',
      version: '1.0.0',
      tier: 2 as const,
      shard: 'probe:shard-0',
      fallback: false,
      leaseId,
    };
    return {
      ...identity,
      expiresAtMs: this.nowMs + 1_000,
      limits,
      lease: new FakeLease(this, leaseId),
      target,
      direct,
    };
  }
}

/** The target of one lease; it says how it was reached. */
export class FakeTarget extends RpcTarget {
  readonly #broker: FakeBroker;
  readonly #way: string;

  constructor(broker: FakeBroker, way: string) {
    super();
    this.#broker = broker;
    this.#way = way;
  }

  invoke(method: string, parameters: readonly unknown[], options: object): unknown {
    this.#broker.calls.push([method, parameters, options]);
    if (this.#broker.failure !== undefined) throw this.#broker.failure;
    if (method === 'add') return parameters.reduce((sum: number, value) => sum + Number(value), 0);
    return `${this.#way} ${method}`;
  }
}

/** The gate of a host. */
export class FakeHostGate extends RpcTarget {
  readonly #broker: FakeBroker;

  constructor(broker: FakeBroker) {
    super();
    this.#broker = broker;
  }

  redeem(ticket: string): RpcTarget {
    return new FakeTarget(this.#broker, `host ${ticket}`);
  }
}

class FakeGate extends RpcTarget {
  readonly #broker: FakeBroker;

  constructor(broker: FakeBroker) {
    super();
    this.#broker = broker;
  }

  authenticate(token: string): RpcTarget {
    this.#broker.tokens.push(token);
    if (token === 'bad') throw Object.assign(new Error('bad token'), { code: 'UNAUTHENTICATED', retryable: false });
    return new FakeAccount(this.#broker);
  }
}

class FakeAccount extends RpcTarget {
  readonly #broker: FakeBroker;

  constructor(broker: FakeBroker) {
    super();
    this.#broker = broker;
  }

  acquire(message: AcquireMessage): AcquireRecord {
    return this.#broker.record(message);
  }

  list(): unknown[] {
    return [{ name: 'probe' }];
  }

  health(): unknown {
    return { status: 'healthy', capabilities: [] };
  }

  release(names: string[]): void {
    this.#broker.released.push(...names);
  }
}

class FakeLease extends RpcTarget {
  readonly #broker: FakeBroker;
  readonly #leaseId: string;

  constructor(broker: FakeBroker, leaseId: string) {
    super();
    this.#broker = broker;
    this.#leaseId = leaseId;
  }

  release(): void {
    this.#broker.released.push(this.#leaseId);
  }

  renew(): number {
    this.#broker.renewals += 1;
    return this.#broker.nowMs + 1_000;
  }

  [Symbol.dispose](): void {
    this.#broker.dropped.push(this.#leaseId);
  }
}
