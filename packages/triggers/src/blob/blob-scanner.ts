/**
 * Scans the containers of an app's blob triggers, by turns, as long as it holds the scanner's lock.
 *
 * Phases: Idle until `start`; Scanning: a poll of every container, then a wait in which blobs that this process writes are
 * looked at out of turn; Stopped.
 * Ownership: the hub owns the scanner, through the singleton listener that wraps it.
 *
 * I1 A poll lists about 10,000 blobs, shared by the containers; the next one comes after the polling interval.
 * I2 A blob that this process wrote is looked at without waiting for the next poll.
 * I3 A function that comes or goes is taken note of at the next poll.
 * I4 After `close` no message is sent.
 * I5 What the logs of an account tell of is looked at in the next poll, wherever the scan is; logs that cannot be read harm nothing.
 */
import {
  BoundedQueue,
  createDeferred,
  type Deferred,
  type Edges,
  messageOf,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import type { TriggerListener } from '../contract.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { accountNameOf } from './account-name.ts';
import type { BlobService } from './blob-client.ts';
import type { BlobWrites } from './blob-writes.ts';
import { type BlobWatcher, ContainerScan, type ContainerScanDeps } from './container-scan.ts';
import { eachLimited } from './each-limited.ts';
import { logContainerName, StorageLogReader } from './storage-log-reader.ts';

/** A function and where its blobs are. */
export interface BlobSubscription extends BlobWatcher {
  readonly connection: StorageConnection;
}

export interface BlobScannerDeps extends ContainerScanDeps {
  readonly blobs: BlobService;
  readonly writes: BlobWrites;
  readonly hostId: string;
  /** The functions of this moment. */
  readonly subscriptions: () => readonly BlobSubscription[];
}

/** The official host's budget. */
const blobsPerPoll = 10_000;

/** Containers that are listed at the same time. */
const maxConcurrentScans = 4;

/** Blobs of our own that wait to be looked at; what is more is left to the next poll. */
const maxPendingLooks = 1_000;

/** Blobs that logs tell of and that are looked at in one poll, the latest ones; what is more is left to the scan. */
const maxLoggedLooks = 1_000;

/** How long `close` waits for requests that were told to stop. */
const closeTimeoutMs = 5_000;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'scanning'; readonly stop: AbortController; readonly loop: Promise<void> }
  | { readonly kind: 'stopped' };

const edges: Edges<State['kind']> = { idle: ['scanning', 'stopped'], scanning: ['stopped'], stopped: [] };

/** One container under scan. */
interface Watched {
  readonly connection: StorageConnection;
  readonly scan: ContainerScan;
  watchers: readonly BlobWatcher[];
  readonly unsubscribe: () => void;
}

export class BlobScanner implements TriggerListener {
  readonly #deps: BlobScannerDeps;
  readonly #pollMs: number;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges);
  readonly #watched = new Map<string, Watched>();
  /** By account. */
  readonly #logs = new Map<string, StorageLogReader>();
  readonly #pending = new BoundedQueue<{ readonly key: string; readonly blob: string }>(maxPendingLooks);
  /** Ends a wait: a blob to look at, or the end. */
  #wake: Deferred<void> = createDeferred();

  constructor(deps: BlobScannerDeps, options: { readonly pollMs: number }) {
    this.#deps = deps;
    this.#pollMs = options.pollMs;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const stop = new AbortController();
    const started = createDeferred<void>();
    const loop = started.promise.then(() => this.#scanAll(stop.signal));
    this.#state.transition({ kind: 'scanning', stop, loop });
    started.resolve();
  }

  /** Whatever is under way is claimed by the next scanner: there is nothing to wait for. */
  drain(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'stopped') return;
    this.#state.transition({ kind: 'stopped' });
    for (const { unsubscribe } of this.#watched.values()) unsubscribe();
    if (state.kind === 'idle') return;
    state.stop.abort();
    this.#wake.resolve();
    await settlesWithin(this.#deps.clock, closeTimeoutMs, state.loop);
  }

  async #scanAll(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      this.#refresh();
      const budget = Math.max(1, Math.floor(blobsPerPoll / Math.max(1, this.#watched.size)));
      const watched = [...this.#watched.values()];
      await eachLimited(watched, maxConcurrentScans, ({ scan, watchers }) => scan.poll(watchers, budget, signal));
      await this.#lookAtLogged(signal);
      const nextMs = clock.monotonic() + this.#pollMs;
      while (!signal.aborted && clock.monotonic() < nextMs) {
        await this.#lookAround(signal);
        await this.#pause(nextMs - clock.monotonic());
      }
    }
  }

  /** Brings the containers under scan in line with the functions. */
  #refresh(): void {
    const wanted = Map.groupBy(this.#deps.subscriptions(), ({ connection, pattern }) => {
      return JSON.stringify([connection.queueEndpoint, pattern.container]);
    });
    for (const [key, { unsubscribe }] of this.#watched) {
      if (wanted.has(key)) continue;
      unsubscribe();
      this.#watched.delete(key);
    }
    for (const [key, subscriptions] of wanted) {
      const known = this.#watched.get(key);
      const [first] = subscriptions;
      if (known !== undefined) known.watchers = subscriptions;
      else if (first !== undefined) this.#watched.set(key, this.#watch(key, first, subscriptions));
    }
  }

  #watch(key: string, { connection, pattern }: BlobSubscription, watchers: readonly BlobWatcher[]): Watched {
    const { blobs, writes, hostId } = this.#deps;
    const { container } = pattern;
    const name = { hostId, account: accountNameOf(connection), container };
    const unsubscribe = writes.subscribe(connection.queueEndpoint, container, (blob) => {
      this.#pending.offer({ key, blob });
      this.#wake.resolve();
    });
    return {
      connection,
      scan: new ContainerScan(this.#deps, blobs.open(connection, container), name),
      watchers,
      unsubscribe,
    };
  }

  /** Looks at what the logs of the accounts tell of. */
  async #lookAtLogged(signal: AbortSignal): Promise<void> {
    const accounts = Map.groupBy(this.#watched.values(), ({ connection }) => connection.queueEndpoint);
    for (const account of this.#logs.keys()) if (!accounts.has(account)) this.#logs.delete(account);
    for (const [account, watched] of accounts) {
      const byContainer = new Map(watched.map((one) => [one.scan.containerName, one]));
      try {
        const writes = (await this.#logsOf(account, watched)?.writes(signal)) ?? [];
        const latest = new Map(writes.map((write) => [`${write.container}/${write.blob}`, write]));
        await eachLimited(
          [...latest.values()].slice(-maxLoggedLooks),
          maxConcurrentScans,
          async ({ container, blob }) => {
            const one = byContainer.get(container);
            if (one !== undefined && !signal.aborted) await one.scan.look(one.watchers, blob, signal);
          },
        );
      } catch (thrown) {
        const fields = { category: 'Host.Triggers.Blob', error: messageOf(thrown) };
        this.#deps.log.write(
          'debug',
          'The logs of a storage account cannot be read; the scan finds what they tell',
          fields,
        );
      }
    }
  }

  #logsOf(account: string, [first]: readonly Watched[]): StorageLogReader | undefined {
    const known = this.#logs.get(account);
    if (known !== undefined || first === undefined) return known;
    const { clock, random, blobs } = this.#deps;
    const reader = new StorageLogReader({ clock, random, logs: blobs.open(first.connection, logContainerName) });
    this.#logs.set(account, reader);
    return reader;
  }

  async #lookAround(signal: AbortSignal): Promise<void> {
    for (let next = this.#pending.poll(); next !== undefined; next = this.#pending.poll()) {
      const watched = this.#watched.get(next.key);
      if (watched !== undefined && !signal.aborted) await watched.scan.look(watched.watchers, next.blob, signal);
    }
  }

  async #pause(delayMs: number): Promise<void> {
    this.#wake = createDeferred();
    if (this.#pending.size > 0 || this.#state.kind !== 'scanning' || delayMs <= 0) return;
    const timer = this.#deps.clock.schedule(delayMs, this.#wake.resolve);
    await this.#wake.promise;
    timer.cancel();
  }
}
