/**
 * The scan of one container for the functions that watch it.
 *
 * Purpose: hand every version of every matching blob on, once per function.
 * Ownership: the scanner makes one per container and calls it from one place at a time.
 *
 * I1 A blob is handed on only under a claim of its receipt, and its message is sent before the receipt is complete: a crash
 *    in between costs a second message at worst, never a blob.
 * I2 What cannot be handed on keeps the position back, so that the next sweep meets it again, after a restart too.
 * I3 No message is sent once the lock of the scanner is lost, nor when the claim may have run out.
 * I4 A container that does not exist is empty.
 */
import { type Clock, type Log, type Meter, messageOf, type Random } from '@switchyard/kernel';
import type { HeldLock } from '../singleton/singleton-locks.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { callUntilDone } from '../storage/storage-call.ts';
import type { BlobContainer, BlobItem, BlobPage } from './blob-client.ts';
import type { BlobPattern } from './blob-pattern.ts';
import { type BlobReceipts, type ReceiptName, receiptLeaseMs } from './blob-receipts.ts';
import type { BlobTriggerMessage } from './blob-trigger-message.ts';
import { afterPage, candidatesOf, type Sweep, startSweeps } from './container-sweep.ts';
import { eachLimited } from './each-limited.ts';
import { loadScanPosition, type ScanName, saveScanPosition } from './scan-position.ts';

/** A function that wants blobs of the container. */
export interface BlobWatcher {
  readonly functionId: string;
  readonly pattern: BlobPattern;
}

export interface ContainerScanDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  /** The container of the host. */
  readonly hosts: BlobContainer;
  readonly receipts: BlobReceipts;
  readonly lock: HeldLock;
  /** Puts a message into the queue of the readers. */
  readonly send: (message: BlobTriggerMessage, signal: AbortSignal) => Promise<void>;
  /** Told when a message is there to be read, and its receipt complete. */
  readonly sent: () => void;
}

/** Blobs that are handed on at the same time. */
const maxConcurrentOffers = 16;

/** Tries per listing. */
const maxTries = 2;

/** How long before the end of a claim nothing is sent under it any more. */
const claimMarginMs = 5_000;

/** The state before the position is known. */
type State = { readonly kind: 'unknown' } | { readonly kind: 'sweeping'; readonly sweep: Sweep };

export class ContainerScan {
  readonly #deps: ContainerScanDeps;
  readonly #container: BlobContainer;
  readonly #scan: ScanName;
  readonly #listing: OutageLog;
  readonly #handing: OutageLog;
  #state: State = { kind: 'unknown' };

  constructor(deps: ContainerScanDeps, container: BlobContainer, scan: ScanName) {
    this.#deps = deps;
    this.#container = container;
    this.#scan = scan;
    const fields = { category: 'Host.Triggers.Blob', container: container.name };
    const listed = 'A container of blobs cannot be scanned; it is tried again and again';
    this.#listing = new OutageLog(deps.log, {
      began: listed,
      ended: 'A container of blobs can be scanned again',
      fields,
    });
    const handed = 'Blobs that were found cannot be handed on; it is tried again and again';
    this.#handing = new OutageLog(deps.log, { began: handed, ended: 'Blobs can be handed on again', fields });
  }

  get containerName(): string {
    return this.#container.name;
  }

  /** Goes on with the sweep for about `budget` blobs. Never rejects. */
  async poll(watchers: readonly BlobWatcher[], budget: number, signal: AbortSignal): Promise<void> {
    try {
      if (this.#state.kind === 'unknown') {
        const positionMs = await loadScanPosition(this.#deps, this.#deps.hosts, this.#scan, signal);
        this.#state = { kind: 'sweeping', sweep: startSweeps(positionMs) };
      }
      await this.#sweepOn(this.#state.sweep, watchers, budget, signal);
      this.#listing.succeeded();
    } catch (thrown) {
      if (!signal.aborted) this.#listing.failed(thrown);
    }
  }

  /** Looks at one blob out of turn; the next sweep meets it anyway. Never rejects. */
  async look(watchers: readonly BlobWatcher[], blob: string, signal: AbortSignal): Promise<void> {
    if (watchers.every(({ pattern }) => pattern.match(blob) === undefined)) return;
    try {
      const name = { operation: 'get properties', resource: `blob '${this.#container.name}/${blob}'` };
      const found = await callUntilDone(this.#deps, name, 1, (abort) => this.#container.properties(blob, abort), {
        signal,
      });
      if (found.kind === 'missing') return;
      const { etag, lastModifiedMs, type } = found.properties;
      await this.#offerToAll(watchers, { name: blob, etag, lastModifiedMs, type }, signal);
    } catch (thrown) {
      const fields = { category: 'Host.Triggers.Blob', container: this.#container.name, error: messageOf(thrown) };
      this.#deps.log.write('debug', 'A blob that was just written could not be looked at; the next scan will', fields);
    }
  }

  async #sweepOn(begun: Sweep, watchers: readonly BlobWatcher[], budget: number, signal: AbortSignal): Promise<void> {
    let sweep = begun;
    for (let left = budget; left > 0; ) {
      const page = await this.#list(left, sweep.current?.continuation, signal);
      if (page === undefined) {
        this.#state = { kind: 'sweeping', sweep: startSweeps(sweep.positionMs) };
        return;
      }
      const failed: BlobItem[] = [];
      await eachLimited(candidatesOf(sweep, page), maxConcurrentOffers, async (item) => {
        if (!(await this.#offerToAll(watchers, item, signal))) failed.push(item);
      });
      if (failed.length === 0) this.#handing.succeeded();
      // A stop in the middle leaves the page undone: nothing of it counts.
      signal.throwIfAborted();
      const before = sweep.positionMs;
      sweep = afterPage(sweep, page, failed);
      this.#state = { kind: 'sweeping', sweep };
      left -= Math.max(1, page.blobs.length);
      if (sweep.positionMs !== undefined && sweep.positionMs !== before) await this.#save(sweep.positionMs, signal);
      if (sweep.current === undefined) return;
    }
  }

  /** A page; undefined when there is no container. */
  async #list(maxBlobs: number, continuation: string | undefined, signal: AbortSignal): Promise<BlobPage | undefined> {
    const name = { operation: 'list', resource: `container '${this.#container.name}'` };
    const list = (abort: AbortSignal): ReturnType<BlobContainer['list']> =>
      this.#container.list({ maxBlobs: Math.min(maxBlobs, 5_000), continuation }, abort);
    const listed = await callUntilDone(this.#deps, name, maxTries, list, { signal });
    return listed.kind === 'missing' ? undefined : listed;
  }

  async #save(positionMs: number, signal: AbortSignal): Promise<void> {
    try {
      await saveScanPosition(this.#deps, this.#deps.hosts, this.#scan, positionMs, signal);
    } catch (thrown) {
      const fields = { category: 'Host.Triggers.Blob', container: this.#container.name, error: messageOf(thrown) };
      this.#deps.log.write('debug', 'The position of a scan could not be saved; a restart scans more', fields);
    }
  }

  /** True when every function that wants the blob has it, or is known to get it. */
  async #offerToAll(watchers: readonly BlobWatcher[], item: BlobItem, signal: AbortSignal): Promise<boolean> {
    let isDone = true;
    for (const { functionId, pattern } of watchers) {
      if (pattern.match(item.name) === undefined) continue;
      const receipt = { functionId, etag: item.etag, container: this.#container.name, blob: item.name };
      if (this.#deps.receipts.isKnown(receipt)) continue;
      try {
        if (!(await this.#offer(receipt, item, signal))) isDone = false;
      } catch (thrown) {
        isDone = false;
        if (!signal.aborted) this.#handing.failed(thrown);
      }
    }
    return isDone;
  }

  async #offer(receipt: ReceiptName, item: BlobItem, signal: AbortSignal): Promise<boolean> {
    const { clock, receipts, lock, meter, send, sent } = this.#deps;
    signal.throwIfAborted();
    const untilMs = clock.monotonic() + receiptLeaseMs - claimMarginMs;
    const claim = await receipts.claim(receipt, signal);
    if (claim.kind !== 'claimed') return claim.kind === 'complete';
    if (!lock.isHeld || clock.monotonic() >= untilMs) return false;
    const { functionId, container, blob, etag } = receipt;
    const message = { functionId, blobType: item.type, container, blob, etag };
    const expired = new AbortController();
    const timer = clock.schedule(untilMs - clock.monotonic(), () => expired.abort(new Error('the claim ran out')));
    try {
      await send(message, AbortSignal.any([signal, expired.signal]));
    } catch (thrown) {
      // Whether the message arrived or not, the blob is to be looked at again soon.
      await receipts.release(receipt, claim.leaseId, signal).catch(() => {});
      throw thrown;
    } finally {
      timer.cancel();
    }
    meter.count('blobs_handed_on_count');
    await receipts.complete(receipt, claim.leaseId, signal);
    sent();
    return true;
  }
}
