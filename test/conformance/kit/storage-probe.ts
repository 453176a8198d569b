/** The storage of the app under test, from the outside. */
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { eventually } from './eventually.ts';

export class StorageProbe {
  readonly #blobs: BlobServiceClient;
  readonly #queues: QueueServiceClient;
  readonly #connectionString: string;
  readonly #created = new Map<string, Promise<void>>();

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
    this.#blobs = BlobServiceClient.fromConnectionString(connectionString);
    this.#queues = QueueServiceClient.fromConnectionString(connectionString);
  }

  /** Sends a message as the storage extension does, in Base64; resolves with its id. Creates the queue. */
  async send(queueName: string, message: unknown): Promise<string> {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    return this.sendRaw(queueName, Buffer.from(text).toString('base64'));
  }

  /** Sends a text as it is. */
  async sendRaw(queueName: string, text: string): Promise<string> {
    const queue = await this.#queue(queueName);
    return (await queue.sendMessage(text)).messageId;
  }

  /** The first message of a queue that fits, taken out of it; the others stay. */
  async receive(queueName: string, fits: (text: string) => boolean = () => true): Promise<string> {
    const queue = await this.#queue(queueName);
    return eventually(`a message in '${queueName}'`, async () => {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 1 });
      for (const { messageId, popReceipt, messageText } of receivedMessageItems) {
        const text = Buffer.from(messageText, 'base64').toString('utf8');
        if (!fits(text)) continue;
        await queue.deleteMessage(messageId, popReceipt);
        return text;
      }
      return undefined;
    });
  }

  /** Resolves when a queue has no message, visible or not. */
  async emptied(queueName: string): Promise<void> {
    const queue = await this.#queue(queueName);
    await eventually(`an empty '${queueName}'`, async () =>
      (await queue.getProperties()).approximateMessagesCount === 0 ? true : undefined,
    );
  }

  async hasQueue(queueName: string): Promise<boolean> {
    return this.#queues.getQueueClient(queueName).exists();
  }

  async upload(container: string, name: string, content: string | Uint8Array): Promise<void> {
    const client = await this.#container(container);
    await client.getBlockBlobClient(name).uploadData(Buffer.from(content), { metadata: { kit: 'yes' } });
  }

  /** A blob's text, or undefined when it is not there. */
  async read(container: string, name: string): Promise<string | undefined> {
    const blob = this.#blobs.getContainerClient(container).getBlockBlobClient(name);
    return (await blob.exists()) ? (await blob.downloadToBuffer()).toString('utf8') : undefined;
  }

  /** Whether somebody holds the lease of a blob. */
  async isLeased(container: string, name: string): Promise<boolean> {
    const { leaseState } = await this.#blobs.getContainerClient(container).getBlobClient(name).getProperties();
    return leaseState === 'leased';
  }

  /** The names that begin so; empty when the container is not there. */
  async list(container: string, prefix: string): Promise<readonly string[]> {
    const client = this.#blobs.getContainerClient(container);
    if (!(await client.exists())) return [];
    const names: string[] = [];
    for await (const { name } of client.listBlobsFlat({ prefix })) names.push(name);
    return names;
  }

  /** Writes an entity over whatever is there. */
  async upsert(tableName: string, entity: { partitionKey: string; rowKey: string; [key: string]: unknown }) {
    const table = this.#table(tableName);
    await this.#once(`table ${tableName}`, () => table.createTable());
    await table.upsertEntity(entity, 'Replace');
  }

  async entity(tableName: string, partitionKey: string, rowKey: string): Promise<Record<string, unknown> | undefined> {
    return this.#table(tableName)
      .getEntity(partitionKey, rowKey)
      .catch(() => undefined);
  }

  #table(tableName: string): TableClient {
    return TableClient.fromConnectionString(this.#connectionString, tableName, { allowInsecureConnection: true });
  }

  async #queue(name: string): Promise<QueueClient> {
    const queue = this.#queues.getQueueClient(name);
    await this.#once(`queue ${name}`, () => queue.createIfNotExists());
    return queue;
  }

  async #container(name: string): Promise<ContainerClient> {
    const container = this.#blobs.getContainerClient(name);
    await this.#once(`container ${name}`, () => container.createIfNotExists());
    return container;
  }

  #once(key: string, create: () => Promise<unknown>): Promise<void> {
    const known = this.#created.get(key) ?? create().then(() => {});
    this.#created.set(key, known);
    return known;
  }
}
