import { type CapabilityTarget, RpcTarget } from '@switchyard/capabilities';
import { createDeferred, type Deferred } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type { HostConnection, HostEnd, LoadOrder, OpenOrder } from '../hosts/host-contract.ts';
import type { SpanRecord } from '../tracing/spans.ts';

/** A host that a test drives: it loads, hangs and dies when told to. */
export class FakeHost {
  readonly loads: LoadOrder[] = [];
  readonly opened: OpenOrder[] = [];
  readonly ended: string[] = [];
  readonly connection: HostConnection;
  killed = 0;
  hangs = false;
  memoryBytes = 10;
  /** What the next probe brings. */
  spans: SpanRecord[] = [];
  /** What loading waits for. */
  gate: Promise<void> = Promise.resolve();
  readonly #end: Deferred<HostEnd> = createDeferred();

  constructor() {
    this.connection = {
      dedicated: true,
      pid: undefined,
      ended: this.#end.promise,
      kill: async () => {
        this.killed += 1;
        this.#end.resolve({ reason: 'killed', expected: true });
      },
      host: {
        describe: () => ({ contract: 1, language: 'fake', pid: 1 }),
        ping: () => true,
        load: async (order) => {
          this.loads.push(order);
          await this.gate;
          return { loadMs: 1, methods: ['echo'] };
        },
        open: (order, dependencies) => {
          this.opened.push(order);
          return new FakeTarget(this, order, Object.keys(dependencies));
        },
        end: (leaseId) => void this.ended.push(leaseId),
        unload: () => ({ outcome: 'unloaded', detail: '' }),
        listen: () => {},
        stats: async () => {
          if (this.hangs) await new Promise(() => {});
          return {
            memoryBytes: this.memoryBytes,
            inFlight: 0,
            calls: 0,
            failures: 0,
            timeouts: 0,
            leases: 0,
            spans: this.spans.splice(0),
          };
        },
      },
    };
  }

  die(): void {
    this.#end.resolve({ reason: 'it died', expected: false });
  }
}

class FakeTarget extends RpcTarget implements CapabilityTarget {
  readonly #host: FakeHost;
  readonly #order: OpenOrder;
  readonly #dependencies: readonly string[];

  constructor(host: FakeHost, order: OpenOrder, dependencies: readonly string[]) {
    super();
    this.#host = host;
    this.#order = order;
    this.#dependencies = dependencies;
  }

  invoke(method: string, parameters: readonly unknown[]): unknown {
    if (this.#host.ended.includes(this.#order.leaseId))
      throw capabilityErrors.create('RELEASED', { name: this.#order.key, reason: 'over' });
    return { key: this.#order.key, account: this.#order.account, method, parameters, dependencies: this.#dependencies };
  }
}
