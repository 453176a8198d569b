/**
 * The reference of the queue benchmark: the storage SDK and nothing else. Two loops receive, do nothing with the
 * messages, and delete them; as many messages are in work as the Runtime has with its defaults.
 *
 *     raw-queue-loop.ts <queue>    with the connection string in BENCH_STORAGE
 */
import { setTimeout as pause } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';

const loops = 2;
const batchSize = 16;
const emptyPauseMs = 100;
const visibilityTimeout = 600;

const [queueName = ''] = process.argv.slice(2);
const queue = QueueServiceClient.fromConnectionString(process.env.BENCH_STORAGE ?? '').getQueueClient(queueName);

async function drain(): Promise<never> {
  for (;;) {
    const { receivedMessageItems: messages } = await queue
      .receiveMessages({ numberOfMessages: batchSize, visibilityTimeout })
      .catch(() => ({ receivedMessageItems: [] }));
    await Promise.all(messages.map(({ messageId, popReceipt }) => queue.deleteMessage(messageId, popReceipt)));
    if (messages.length === 0) await pause(emptyPauseMs);
  }
}

await Promise.all(Array.from({ length: loops }, drain));
