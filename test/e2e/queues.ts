/** The storage queues of a test, from the outside. */
import { QueueServiceClient } from '@azure/storage-queue';
import { requirePart } from '@switchyard/testkit';
import { azuriteHint, findAzurite } from '@switchyard/triggers/testing';

/** The emulator's program; tests that need it are skipped loudly where it is missing. */
export const azuriteEntry = findAzurite();
export const azuritePart = requirePart('Azurite', azuriteEntry !== undefined, azuriteHint);

export interface TestQueue {
  send(message: unknown): Promise<void>;
  /** Takes messages until there are `count`, and removes them. */
  take(count: number): Promise<readonly unknown[]>;
  /** Messages that are in the queue, visible or not. */
  size(): Promise<number>;
}

/** Opens a queue, which is created when it is not there. Messages are JSON in Base64, as the official host has them. */
export async function openQueue(connectionString: string, name: string): Promise<TestQueue> {
  const client = QueueServiceClient.fromConnectionString(connectionString).getQueueClient(name);
  await client.createIfNotExists();
  return {
    async send(message) {
      await client.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
    },
    async take(count) {
      const taken: unknown[] = [];
      for (let tries = 0; taken.length < count && tries < maxTries; tries += 1) {
        const { receivedMessageItems: items } = await client.receiveMessages({ numberOfMessages: 32 });
        for (const { messageId, popReceipt, messageText } of items) {
          taken.push(JSON.parse(Buffer.from(messageText, 'base64').toString('utf8')));
          await client.deleteMessage(messageId, popReceipt);
        }
        if (taken.length < count) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      return taken;
    },
    size: async () => (await client.getProperties()).approximateMessagesCount ?? 0,
  };
}

const pauseMs = 100;
const maxTries = 200;
