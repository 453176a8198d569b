/**
 * Storage queues in memory, on the test's clock, with the service's rules for receipts and visibility. Tests make them
 * fail, look into them, and put messages there.
 */
import type { Clock } from '@switchyard/kernel';
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

/** The service keeps a message for a week. */
const timeToLiveMs = 7 * 24 * 3_600_000;

interface StoredMessage {
  readonly id: string;
  readonly text: string;
  readonly insertedMs: number;
  popReceipt: string;
  dequeueCount: number;
  visibleAtMs: number;
}

export type QueueOperation = 'measure' | 'receive' | 'setVisibility' | 'delete' | 'send' | 'create';

/** What a request meets before it is carried out: nothing, an error, or a wait. */
export type Fault = (operation: QueueOperation, queueName: string) => Promise<void> | undefined;

export class MemoryQueues implements QueueService {
  /** Every request, as `operation queue`, in the order of arrival. */
  readonly requests: string[] = [];
  fault: Fault = () => undefined;
  readonly #clock: Clock;
  readonly #queues = new Map<string, StoredMessage[]>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(connection: StorageConnection, name: string): QueueClient {
    const key = `${connection.queueEndpoint}/${name}`;
    const ask = async <T>(operation: QueueOperation, signal: AbortSignal, carryOut: () => T): Promise<T> => {
      signal.throwIfAborted();
      this.requests.push(`${operation} ${name}`);
      await this.fault(operation, name);
      return carryOut();
    };
    return {
      name,
      measure: (signal) => ask('measure', signal, () => this.#measure(key)),
      receive: (count, visibilityMs, signal) => ask('receive', signal, () => this.#receive(key, count, visibilityMs)),
      setVisibility: (receipt, visibilityMs, signal) =>
        ask('setVisibility', signal, () => this.#setVisibility(key, receipt, visibilityMs)),
      delete: (receipt, signal) => ask('delete', signal, () => this.#delete(key, receipt)),
      send: (text, signal) => ask('send', signal, () => this.#send(key, text)),
      create: (signal) => ask('create', signal, () => this.create(connection, name)),
    };
  }

  /** Creates a queue, as somebody else would. */
  create(connection: StorageConnection, name: string): void {
    const key = `${connection.queueEndpoint}/${name}`;
    if (!this.#queues.has(key)) this.#queues.set(key, []);
  }

  /** Removes a queue with all it holds. */
  remove(connection: StorageConnection, name: string): void {
    this.#queues.delete(`${connection.queueEndpoint}/${name}`);
  }

  /** Puts a message into a queue, which is created when it is missing. */
  put(connection: StorageConnection, name: string, text: string, dequeueCount = 0): void {
    this.create(connection, name);
    this.#send(`${connection.queueEndpoint}/${name}`, text, dequeueCount);
  }

  /** The texts in a queue, visible or not; undefined when there is no queue. */
  texts(connection: StorageConnection, name: string): readonly string[] | undefined {
    return this.#queues.get(`${connection.queueEndpoint}/${name}`)?.map((message) => message.text);
  }

  /** How many requests of a kind a queue got. */
  count(operation: QueueOperation, name: string): number {
    return this.requests.filter((request) => request === `${operation} ${name}`).length;
  }

  #measure(key: string): QueueMeasure {
    const queue = this.#queues.get(key);
    if (queue === undefined) return { kind: 'missing' };
    const nowMs = this.#clock.now();
    const first = queue.find(({ visibleAtMs }) => visibleAtMs <= nowMs);
    if (first === undefined) return { kind: 'measured', messageCount: 0, oldestMs: undefined };
    return { kind: 'measured', messageCount: queue.length, oldestMs: nowMs - first.insertedMs };
  }

  #receive(key: string, count: number, visibilityMs: number): ReceiveResult {
    const queue = this.#queues.get(key);
    if (queue === undefined) return { kind: 'missing' };
    const nowMs = this.#clock.now();
    const messages = queue.filter((message) => message.visibleAtMs <= nowMs).slice(0, count);
    for (const message of messages) {
      message.dequeueCount += 1;
      message.visibleAtMs = nowMs + visibilityMs;
      message.popReceipt = this.#nextId('receipt');
    }
    return { kind: 'messages', messages: messages.map(toMessage) };
  }

  #setVisibility(key: string, receipt: MessageReceipt, visibilityMs: number): ChangeResult {
    const message = this.#find(key, receipt);
    if (message === undefined) return { kind: 'gone' };
    message.visibleAtMs = this.#clock.now() + visibilityMs;
    message.popReceipt = this.#nextId('receipt');
    return { kind: 'changed', receipt: { id: message.id, popReceipt: message.popReceipt } };
  }

  #delete(key: string, receipt: MessageReceipt): 'deleted' | 'gone' {
    const message = this.#find(key, receipt);
    if (message === undefined) return 'gone';
    const queue = this.#queues.get(key) ?? [];
    queue.splice(queue.indexOf(message), 1);
    return 'deleted';
  }

  #send(key: string, text: string, dequeueCount = 0): 'sent' | 'missing' {
    const queue = this.#queues.get(key);
    if (queue === undefined) return 'missing';
    const nowMs = this.#clock.now();
    const id = this.#nextId('message');
    queue.push({ id, text, insertedMs: nowMs, popReceipt: '', dequeueCount, visibleAtMs: nowMs });
    return 'sent';
  }

  /** The message, if the receipt is the one that was given out last. */
  #find(key: string, receipt: MessageReceipt): StoredMessage | undefined {
    const found = this.#queues.get(key)?.find((message) => message.id === receipt.id);
    return found?.popReceipt === receipt.popReceipt ? found : undefined;
  }

  #nextId(prefix: string): string {
    this.#sequence += 1;
    return `${prefix}-${this.#sequence}`;
  }
}

function toMessage(message: StoredMessage): QueueMessage {
  return {
    id: message.id,
    popReceipt: message.popReceipt,
    text: message.text,
    dequeueCount: message.dequeueCount,
    insertedMs: message.insertedMs,
    expiresMs: message.insertedMs + timeToLiveMs,
    nextVisibleMs: message.visibleAtMs,
  };
}
