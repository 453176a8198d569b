/**
 * Receipts: which version of which blob was handed to which function, in the official layout
 * `blobreceipts/{hostId}/{functionId}/{etag}/{container}/{blob}` (its BlobReceiptManager). A receipt with the
 * metadata `Incomplete` says that somebody means to hand the blob on; one without says that it was done. The lease of a
 * receipt is the right to do it.
 *
 * Purpose: every version is handed on, and once.
 * Ownership: the scanner claims and completes receipts; a reader confirms them.
 *
 * I1 Of all who claim a receipt at once, one gets it; and none once it is complete.
 * I2 Whoever vanishes with a claim leaves it to others after 30 s.
 * I3 A reader that has the message completes the receipt itself: the message proves that the blob was handed on, even if
 *    the scanner died before it could say so. Nobody then hands it on again.
 * I4 What is known to be complete costs no request; at most so many are remembered.
 */
import type { Random } from '@switchyard/kernel';
import { type CallDeps, callUntilDone } from '../storage/storage-call.ts';
import type { BlobContainer } from './blob-client.ts';

/** Which version of which blob for which function. */
export interface ReceiptName {
  readonly functionId: string;
  readonly etag: string;
  readonly container: string;
  readonly blob: string;
}

/** What came of a claim. */
export type ReceiptClaim =
  /** It was handed on already. */
  | { readonly kind: 'complete' }
  /** Somebody else is at it: look again later. */
  | { readonly kind: 'busy' }
  /** It is ours for `receiptLeaseMs` from when it was asked for. */
  | { readonly kind: 'claimed'; readonly leaseId: string };

/** What lies at a receipt's place. */
type Receipt =
  | { readonly kind: 'missing' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'incomplete'; readonly etag: string };

/** How long a claim lasts. */
export const receiptLeaseMs = 30_000;

/** The name that the official host gives to the mark, and how it comes back. */
const incompleteMark = new Map([['Incomplete', 'Incomplete']]);
const incompleteKey = 'incomplete';

/** Receipts that are remembered as complete. */
const maxKnown = 20_000;

/** Tries per request; what fails is looked at again by the next sweep. */
const maxTries = 2;

export interface BlobReceiptsDeps extends CallDeps {
  readonly random: Random;
  /** The container of the host. */
  readonly hosts: BlobContainer;
  readonly hostId: string;
}

export class BlobReceipts {
  readonly #deps: BlobReceiptsDeps;
  /** In the order in which they were learned. */
  readonly #known = new Set<string>();

  constructor(deps: BlobReceiptsDeps) {
    this.#deps = deps;
  }

  /** True when the blob is known to have been handed on. */
  isKnown(name: ReceiptName): boolean {
    return this.#known.has(this.#blobOf(name));
  }

  async claim(name: ReceiptName, signal: AbortSignal): Promise<ReceiptClaim> {
    const blob = this.#blobOf(name);
    const receipt = (await this.#create(blob, signal)) ?? (await this.#read(blob, signal));
    if (receipt.kind !== 'incomplete') return { kind: receipt.kind === 'complete' ? 'complete' : 'busy' };
    const { hosts, random } = this.#deps;
    const leaseId = random.uuid();
    // Who completes a receipt changes its ETag: so the lease is ours only if it is incomplete still.
    const lease = { leaseId, durationMs: receiptLeaseMs, ifMatch: receipt.etag };
    const leased = await this.#call('acquire lease', blob, signal, (abort) => hosts.acquireLease(blob, lease, abort));
    return leased === 'acquired' ? { kind: 'claimed', leaseId } : { kind: 'busy' };
  }

  /** Notes that the blob was handed on, and ends the claim. A claim that ran out meanwhile completes nothing. */
  async complete(name: ReceiptName, leaseId: string, signal: AbortSignal): Promise<void> {
    const blob = this.#blobOf(name);
    const { hosts } = this.#deps;
    const written = await this.#call('write metadata', blob, signal, (abort) =>
      hosts.writeMetadata(blob, new Map(), { leaseId }, abort),
    );
    if (written.kind === 'written') this.#remember(blob);
    await this.release(name, leaseId, signal);
  }

  async release(name: ReceiptName, leaseId: string, signal: AbortSignal): Promise<void> {
    const blob = this.#blobOf(name);
    const { hosts } = this.#deps;
    await this.#call('release lease', blob, signal, (abort) => hosts.releaseLease(blob, leaseId, abort));
  }

  /** For a reader that has the message: makes sure that nobody hands the blob on again. */
  async confirm(name: ReceiptName, signal: AbortSignal): Promise<void> {
    const blob = this.#blobOf(name);
    if (this.#known.has(blob)) return;
    if ((await this.#read(blob, signal)).kind !== 'incomplete') return;
    const { hosts } = this.#deps;
    await this.#call('break lease', blob, signal, (abort) => hosts.breakLease(blob, abort));
    const written = await this.#call('write metadata', blob, signal, (abort) =>
      hosts.writeMetadata(blob, new Map(), {}, abort),
    );
    if (written.kind === 'written') this.#remember(blob);
  }

  async #read(blob: string, signal: AbortSignal): Promise<Receipt> {
    const { hosts } = this.#deps;
    const found = await this.#call('get properties', blob, signal, (abort) => hosts.properties(blob, abort));
    if (found.kind === 'missing') return { kind: 'missing' };
    if (found.properties.metadata.has(incompleteKey)) return { kind: 'incomplete', etag: found.properties.etag };
    this.#remember(blob);
    return { kind: 'complete' };
  }

  /** Creates the receipt, and the host's container with it; undefined when there is one. */
  async #create(blob: string, signal: AbortSignal): Promise<Receipt | undefined> {
    const { hosts } = this.#deps;
    const write = { metadata: incompleteMark, ifMissing: true };
    const tryOnce = (): ReturnType<BlobContainer['write']> =>
      this.#call('write', blob, signal, (abort) => hosts.write(blob, new Uint8Array(), write, abort));
    let written = await tryOnce();
    if (written.kind === 'missing') {
      await this.#call('create', undefined, signal, (abort) => hosts.create(abort));
      written = await tryOnce();
    }
    if (written.kind === 'missing') return { kind: 'missing' };
    return written.kind === 'written' ? { kind: 'incomplete', etag: written.etag } : undefined;
  }

  #remember(blob: string): void {
    this.#known.add(blob);
    if (this.#known.size <= maxKnown) return;
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      break;
    }
  }

  /** The ETag stands before the name, which may have slashes. */
  #blobOf({ functionId, etag, container, blob }: ReceiptName): string {
    return `blobreceipts/${this.#deps.hostId}/${functionId}/${etag}/${container}/${blob}`;
  }

  #call<T>(
    operation: string,
    blob: string | undefined,
    signal: AbortSignal,
    call: (abort: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { name } = this.#deps.hosts;
    const resource = blob === undefined ? `container '${name}'` : `blob '${name}/${blob}'`;
    return callUntilDone(this.#deps, { operation, resource }, maxTries, call, { signal });
  }
}
