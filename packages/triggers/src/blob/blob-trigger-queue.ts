/**
 * The queue between the scanner and the readers: `azure-webjobs-blobtrigger-{hostId}`, whose poison queue is
 * `webjobs-blobtrigger-poison`, by the names of the official host.
 *
 * A queue listener finds the poison queue of a queue by its name, which these two do not allow. So it is given an alias,
 * and a service and signals that know what the alias stands for; requests and logs carry the real names.
 */

import { encodeMessage } from '../queue/message-encoding.ts';
import type { QueueService } from '../queue/queue-client.ts';
import { isQueueName, poisonQueueName } from '../queue/queue-name.ts';
import { QueueSignals } from '../queue/queue-signals.ts';
import { sendMessage } from '../queue/send-message.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import type { RequestDeps } from '../storage/storage-request.ts';
import { type BlobTriggerMessage, formatBlobTriggerMessage } from './blob-trigger-message.ts';

/** The poison queue of all blob triggers of an account. */
export const blobPoisonQueueName = 'webjobs-blobtrigger-poison';

/** What a listener is told that the queue is called. */
const alias = 'blobtrigger';

export function blobTriggerQueueName(hostId: string): string {
  return `azure-webjobs-blobtrigger-${hostId}`;
}

/** True when the host id makes a name that a queue may have. */
export function canHaveBlobTriggerQueue(hostId: string): boolean {
  return isQueueName(blobTriggerQueueName(hostId));
}

export class BlobTriggerQueue {
  readonly name: string;
  readonly alias = alias;
  /** For a listener: opens the queue and its poison queue by their aliases. */
  readonly service: QueueService;
  /** For a listener: woken when this process writes to the queue. */
  readonly signals: QueueSignals;
  readonly #service: QueueService;
  readonly #connection: StorageConnection;

  constructor(service: QueueService, connection: StorageConnection, hostId: string) {
    this.name = blobTriggerQueueName(hostId);
    this.#service = service;
    this.#connection = connection;
    const realNames = new Map([
      [alias, this.name],
      [poisonQueueName(alias) ?? '', blobPoisonQueueName],
    ]);
    const realNameOf = (name: string): string => realNames.get(name) ?? name;
    this.service = { open: (opened, name) => service.open(opened, realNameOf(name)) };
    this.signals = new AliasSignals(realNameOf);
  }

  /** Sends a message; the queue is created when it is missing. */
  send(deps: RequestDeps, message: BlobTriggerMessage, signal: AbortSignal): Promise<void> {
    const client = this.#service.open(this.#connection, this.name);
    return sendMessage(deps, client, encodeMessage(formatBlobTriggerMessage(message), 'base64'), signal);
  }

  /** Ends the reader's wait for messages. */
  wake(): void {
    this.signals.notify(this.#connection.queueEndpoint, this.name);
  }
}

/** Signals whose waiters know the queue by its alias. */
class AliasSignals extends QueueSignals {
  readonly #realNameOf: (name: string) => string;

  constructor(realNameOf: (name: string) => string) {
    super();
    this.#realNameOf = realNameOf;
  }

  override subscribe(endpoint: string, queueName: string, wake: () => void): () => void {
    return super.subscribe(endpoint, this.#realNameOf(queueName), wake);
  }
}
