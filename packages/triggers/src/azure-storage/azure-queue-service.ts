/**
 * Storage queues through the official library. This folder alone imports it, and only when a queue is first used, so that
 * apps without storage start without loading it.
 *
 * I1 The library is loaded at most once, by the first request, and never by opening a queue.
 * I2 No message of an error holds a key, a signature or an address with one.
 */

import type { QueueServiceClient, QueueClient as SdkQueueClient } from '@azure/storage-queue';
import { isPlatformError, messageOf, type PlatformError } from '@switchyard/kernel';
import { type AzureIdentities, createAzureIdentities } from '../azure-identity/azure-identities.ts';
import { triggerErrors } from '../errors.ts';
import type {
  ChangeResult,
  MessageReceipt,
  QueueClient,
  QueueMeasure,
  QueueMessage,
  QueueService,
  ReceiveResult,
} from '../queue/queue-client.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { keyOfAccount, toAccess } from './storage-access.ts';

type Sdk = typeof import('@azure/storage-queue');

const packageName = '@azure/storage-queue';

/** Accounts kept open; one beyond them is opened anew, which costs little. */
const maxAccounts = 256;

/** The service's answers to a request about a message that is no longer ours. */
const goneCodes: ReadonlySet<string> = new Set([
  'MessageNotFound',
  'PopReceiptMismatch',
  'QueueBeingDeleted',
  'QueueDisabled',
  'QueueNotFound',
]);

/** The service's answers to a request for a queue that does not exist, or not much longer. */
const missingCodes: ReadonlySet<string> = new Set(['QueueBeingDeleted', 'QueueDisabled', 'QueueNotFound']);

/** Makes a service for real storage accounts. Our callers retry, so the library does not. */
export function createAzureQueueService(
  load: () => Promise<Sdk> = importSdk,
  identities: AzureIdentities = createAzureIdentities({ allowsAmbient: false }),
): QueueService {
  const accounts = new Map<string, QueueServiceClient>();
  let loading: Promise<Sdk> | undefined;
  const open = async (connection: StorageConnection, queueName: string): Promise<SdkQueueClient> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const sdk = await loading;
    const key = keyOfAccount(connection);
    const known = accounts.get(key);
    const account = known ?? (await openAccount(sdk, connection, queueName, identities));
    if (known === undefined && accounts.size >= maxAccounts) accounts.clear();
    accounts.set(key, account);
    return account.getQueueClient(queueName);
  };
  return { open: (connection, queueName) => new AzureQueueClient(queueName, () => open(connection, queueName)) };
}

async function openAccount(
  sdk: Sdk,
  connection: StorageConnection,
  queueName: string,
  identities: AzureIdentities,
): Promise<QueueServiceClient> {
  const options = { retryOptions: { maxTries: 1 } };
  const name = { operation: 'connect', resource: `queue '${queueName}'` };
  const access = await toAccess(connection, 'queue', name, identities);
  return access.kind === 'token'
    ? new sdk.QueueServiceClient(access.endpoint, access.credential, options)
    : sdk.QueueServiceClient.fromConnectionString(access.connectionString, options);
}

function importSdk(): Promise<Sdk> {
  return import('@azure/storage-queue');
}

class AzureQueueClient implements QueueClient {
  readonly name: string;
  readonly #open: () => Promise<SdkQueueClient>;
  #client: Promise<SdkQueueClient> | undefined;

  constructor(name: string, open: () => Promise<SdkQueueClient>) {
    this.name = name;
    this.#open = open;
  }

  receive(count: number, visibilityMs: number, abortSignal: AbortSignal): Promise<ReceiveResult> {
    return this.#ask<ReceiveResult>('receive', missingCodes, { kind: 'missing' }, async (client) => {
      const visibilityTimeout = toSeconds(visibilityMs);
      const answer = await client.receiveMessages({ numberOfMessages: count, visibilityTimeout, abortSignal });
      return { kind: 'messages', messages: answer.receivedMessageItems.map(toQueueMessage) };
    });
  }

  measure(abortSignal: AbortSignal): Promise<QueueMeasure> {
    return this.#ask<QueueMeasure>('measure', missingCodes, { kind: 'missing' }, async (client) => {
      const { peekedMessageItems, date } = await client.peekMessages({ numberOfMessages: 1, abortSignal });
      const [first] = peekedMessageItems;
      if (first === undefined) return { kind: 'measured', messageCount: 0, oldestMs: undefined };
      const { approximateMessagesCount = 1 } = await client.getProperties({ abortSignal });
      // Both times are the service's.
      const oldestMs = date && Math.max(0, date.getTime() - first.insertedOn.getTime());
      return { kind: 'measured', messageCount: Math.max(1, approximateMessagesCount), oldestMs };
    });
  }

  setVisibility(receipt: MessageReceipt, visibilityMs: number, abortSignal: AbortSignal): Promise<ChangeResult> {
    return this.#ask<ChangeResult>('set visibility', goneCodes, { kind: 'gone' }, async (client) => {
      const { id, popReceipt } = receipt;
      const seconds = toSeconds(visibilityMs);
      const answer = await client.updateMessage(id, popReceipt, undefined, seconds, { abortSignal });
      return { kind: 'changed', receipt: { id, popReceipt: answer.popReceipt ?? popReceipt } };
    });
  }

  delete(receipt: MessageReceipt, abortSignal: AbortSignal): Promise<'deleted' | 'gone'> {
    return this.#ask<'deleted' | 'gone'>('delete', goneCodes, 'gone', async (client) => {
      await client.deleteMessage(receipt.id, receipt.popReceipt, { abortSignal });
      return 'deleted';
    });
  }

  send(text: string, abortSignal: AbortSignal): Promise<'sent' | 'missing'> {
    return this.#ask<'sent' | 'missing'>('send', missingCodes, 'missing', async (client) => {
      await client.sendMessage(text, { abortSignal });
      return 'sent';
    });
  }

  create(abortSignal: AbortSignal): Promise<void> {
    return this.#ask('create', new Set(), undefined, async (client) => {
      await client.createIfNotExists({ abortSignal });
    });
  }

  /** Makes a request. An answer with one of `codes` gives `expected`; any other fault is a PlatformError. */
  async #ask<T>(
    operation: string,
    codes: ReadonlySet<string>,
    expected: T,
    call: (client: SdkQueueClient) => Promise<T>,
  ): Promise<T> {
    this.#client ??= this.#open().catch((thrown) => {
      this.#client = undefined;
      throw thrown;
    });
    try {
      return await call(await this.#client);
    } catch (thrown) {
      if (codes.has(serviceCode(thrown) ?? '')) return expected;
      throw isPlatformError(thrown) ? thrown : toPlatformError(operation, this.name, thrown);
    }
  }
}

function toQueueMessage(item: {
  messageId: string;
  popReceipt: string;
  messageText: string;
  dequeueCount: number;
  insertedOn: Date;
  expiresOn: Date;
  nextVisibleOn: Date;
}): QueueMessage {
  return {
    id: item.messageId,
    popReceipt: item.popReceipt,
    text: item.messageText,
    dequeueCount: item.dequeueCount,
    insertedMs: item.insertedOn.getTime(),
    expiresMs: item.expiresOn.getTime(),
    nextVisibleMs: item.nextVisibleOn.getTime(),
  };
}

/** The service counts in whole seconds. */
function toSeconds(durationMs: number): number {
  return Math.ceil(durationMs / 1000);
}

/** The service's own name for what went wrong, where it answered at all. */
function serviceCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, details } = thrown as Error & { code?: unknown; details?: { errorCode?: unknown } };
  const name = details?.errorCode ?? code;
  return typeof name === 'string' ? name : undefined;
}

function toPlatformError(operation: string, queue: string, thrown: unknown): PlatformError {
  const status = thrown instanceof Error && 'statusCode' in thrown ? Number(thrown.statusCode) : Number.NaN;
  const code = serviceCode(thrown);
  const parts = [code, Number.isNaN(status) ? undefined : `status ${status}`].filter((part) => part !== undefined);
  const reason = parts.length > 0 ? parts.join(', ') : withoutQueries(messageOf(thrown));
  // The library's own error may quote the address with its signature, so it does not become the cause.
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  const errorCode = isRefusal ? 'STORAGE_REQUEST_REFUSED' : 'STORAGE_REQUEST_FAILED';
  return triggerErrors.create(errorCode, { operation, queue, reason });
}

/** A text without what follows the question mark of an address, where a signature would stand. */
function withoutQueries(text: string): string {
  return text.replace(/\?\S*/g, '?***');
}
