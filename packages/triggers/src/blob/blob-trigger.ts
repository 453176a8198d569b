/** The blob trigger: containers are scanned, and every new version of a matching blob runs the function. */
import { type Edges, StateMachine } from '@switchyard/kernel';
import type { BindingDataType, BindingMetadata } from '@switchyard/model';
import { aborted } from '../aborted.ts';
import type {
  Backlog,
  BindingScope,
  ListenerContext,
  ListenerTriggerKind,
  TriggerListener,
  WebhookExtension,
} from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { periodsOf } from '../singleton/singleton-trigger.ts';
import { connectionNameOf, isDeferred } from '../storage/deferred-binding.ts';
import { functionIdOf, requireHostStorage } from '../storage/host-storage.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { resolveStorageConnection, type StorageConnection } from '../storage/storage-connection.ts';
import type { BlobPath } from './blob-path.ts';
import { type BlobPattern, parseBlobPattern } from './blob-pattern.ts';
import {
  type BlobHubOptions,
  type BlobKindDeps,
  BlobSeat,
  type BlobTriggerHub,
  BlobTriggerHubs,
} from './blob-trigger-hub.ts';
import { blobTriggerQueueName, canHaveBlobTriggerQueue } from './blob-trigger-queue.ts';
import { createBlobWebhook, type ToldOfBlobs } from './blob-webhook.ts';
import { readVersion, toManualBlob } from './manual-blob.ts';

/** A blobTrigger binding, parsed. */
export interface BlobTriggerOptions extends BlobHubOptions {
  readonly bindingName: string;
  readonly pattern: BlobPattern;
  readonly connection: StorageConnection;
  readonly dataType: BindingDataType | undefined;
  /** The connection's name where the worker opens the blob itself. */
  readonly deferredConnection: string | undefined;
  /** Who tells of new blobs: our own scan, or Event Grid by a webhook. */
  readonly source: 'scan' | 'eventGrid';
}

/** The trigger, with the webhook of those that Event Grid tells of new blobs. */
export type BlobTriggerKind = ListenerTriggerKind<BlobTriggerOptions> & { readonly webhook: WebhookExtension };

/** How often containers are scanned: as the official host does, or fast enough for somebody who waits for it. */
const pollMs = 10_000;
const developmentPollMs = 2_000;

/** What "source" may be; the numbers are how .NET may write them. */
const scanSources: readonly unknown[] = [undefined, null, '', 'logsandcontainerscan', '0', 0];
const eventGridSources: readonly unknown[] = ['eventgrid', '1', 1];

/** Makes the blob trigger. */
export function createBlobTrigger(deps: BlobKindDeps): BlobTriggerKind {
  const hubs = new BlobTriggerHubs(deps);
  const told = new Map<BlobTriggerListener, ListenerContext>();
  return {
    style: 'listener',
    type: 'blobTrigger',
    parse(binding, scope) {
      return {
        source: parseSource(binding, scope),
        bindingName: binding.name,
        pattern: parseBlobPattern(binding, scope),
        connection: resolveStorageConnection(binding, scope),
        hostStorage: requireHostStorage(scope, binding.name),
        dataType: binding.dataType,
        deferredConnection: isDeferred(binding) ? connectionNameOf(binding) : undefined,
        blobs: scope.extensions.blobs,
        pollMs: scope.development ? developmentPollMs : pollMs,
        periods: periodsOf(scope),
      };
    },
    listen(options, context) {
      checkHostId(options, context);
      return new BlobTriggerListener(deps, { hubs, told }, options, context);
    },
    toManualEvent: (options, input, context) => toManualBlob(deps.blobs, options, input, context),
    webhook: createBlobWebhook(
      (applicationId, functionName) =>
        [...told].findLast(([, context]) => isOf(context, applicationId, functionName))?.[0],
    ),
  };
}

function isOf(context: ListenerContext, applicationId: string, functionName: string): boolean {
  return context.applicationId === applicationId && context.functionName.toLowerCase() === functionName.toLowerCase();
}

function parseSource(binding: BindingMetadata, scope: BindingScope): BlobTriggerOptions['source'] {
  const { source } = binding.raw;
  const word = typeof source === 'string' ? source.trim().toLowerCase() : source;
  if (scanSources.includes(word)) return 'scan';
  if (eventGridSources.includes(word)) return 'eventGrid';
  const details = { function: scope.function.name, binding: binding.name, value: JSON.stringify(source) };
  throw triggerErrors.create('BLOB_SOURCE_UNSUPPORTED', details);
}

function checkHostId({ bindingName }: BlobTriggerOptions, { hostId, functionName }: ListenerContext): void {
  if (canHaveBlobTriggerQueue(hostId)) return;
  const details = { function: functionName, binding: bindingName, hostId, queue: blobTriggerQueueName(hostId) };
  throw triggerErrors.create('BLOB_TRIGGER_QUEUE_INVALID', details);
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly hub: BlobTriggerHub }
  /** Out of the hub; `hub` where nobody else is left to close it. */
  | { readonly kind: 'leaving'; readonly hub: BlobTriggerHub | undefined }
  | { readonly kind: 'stopped' };

const edges: Edges<State['kind']> = {
  idle: ['listening', 'stopped'],
  listening: ['leaving'],
  leaving: ['stopped'],
  stopped: [],
};

/** One function's part in what the functions of an app share. */
class BlobTriggerListener implements TriggerListener, ToldOfBlobs {
  readonly #hubs: BlobTriggerHubs;
  readonly #told: Map<BlobTriggerListener, ListenerContext>;
  readonly #options: BlobTriggerOptions;
  readonly #context: ListenerContext;
  readonly #seat: BlobSeat;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges);

  constructor(
    deps: BlobKindDeps,
    { hubs, told }: { readonly hubs: BlobTriggerHubs; readonly told: Map<BlobTriggerListener, ListenerContext> },
    options: BlobTriggerOptions,
    context: ListenerContext,
  ) {
    const { pattern, connection, dataType, deferredConnection } = options;
    this.#hubs = hubs;
    this.#told = told;
    this.#options = options;
    this.#context = context;
    const outage = new OutageLog(context.log, {
      began: 'Blobs cannot be read; their messages are kept and tried again',
      ended: 'Blobs can be read again',
      fields: { category: 'Host.Triggers.Blob', function: context.functionName, container: pattern.container },
    });
    this.#seat = new BlobSeat(
      { functionId: functionIdOf(context.functionName), pattern, connection },
      {
        ...{ context, pattern, dataType, deferredConnection, outage },
        open: (container) => deps.blobs.open(connection, container),
      },
      options.source === 'scan',
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const hub = this.#hubs.join(this.#seat, this.#options, this.#context);
    this.#state.transition({ kind: 'listening', hub });
    if (this.#options.source === 'eventGrid') this.#told.set(this, this.#context);
    await hub.started;
  }

  /** Hands a new blob to the readers, if it is one for the function. */
  async tell(path: BlobPath, signal: AbortSignal): Promise<void> {
    const { state } = this.#state;
    if (state.kind !== 'listening') throw new Error('The function stops.');
    const {
      target,
      subscription: { pattern },
    } = this.#seat;
    if (path.container !== pattern.container || pattern.match(path.blob) === undefined) return;
    const version = await readVersion(target.open(path.container), path, this.#context, signal);
    if (version === undefined) return;
    const message = { functionId: this.#seat.functionId, ...path, ...version };
    await state.hub.send(this.#context, message, signal);
  }

  async backlog(signal: AbortSignal): Promise<Backlog | undefined> {
    const { state } = this.#state;
    return state.kind === 'listening' ? await state.hub.backlog(this.#seat, signal) : undefined;
  }

  async drain(signal: AbortSignal): Promise<void> {
    const hub = this.#leave();
    if (hub !== undefined) await hub.drain(signal);
    else await Promise.race([this.#seat.idle(), aborted(signal)]);
    await this.close();
  }

  async close(): Promise<void> {
    const hub = this.#leave();
    if (this.#state.kind !== 'stopped') this.#state.transition({ kind: 'stopped' });
    this.#seat.abandon();
    await hub?.close();
  }

  /** Takes the function out of the hub; the hub is returned to whoever has to close it. */
  #leave(): BlobTriggerHub | undefined {
    const { state } = this.#state;
    this.#told.delete(this);
    if (state.kind === 'leaving') return state.hub;
    if (state.kind !== 'listening') return undefined;
    const hub = this.#hubs.leave(this.#seat, state.hub) ? state.hub : undefined;
    this.#state.transition({ kind: 'leaving', hub });
    return hub;
  }
}
