/** What every QueueClient promises. Times are left to the adapters' own tests: a real service has whole seconds. */
import { describe, expect, it } from 'vitest';
import type { QueueClient, QueueMessage } from './queue-client.ts';

const minuteMs = 60_000;
const { signal } = new AbortController();

/** Runs the promises against queues of the given names, which do not exist at first. */
export function testQueueClient(name: string, open: (queueName: string) => QueueClient): void {
  let queues = 0;
  const fresh = (): QueueClient => {
    queues += 1;
    return open(`suite-${queues}`);
  };
  const created = async (...texts: string[]): Promise<QueueClient> => {
    const client = fresh();
    await client.create(signal);
    for (const text of texts) expect(await client.send(text, signal)).toBe('sent');
    return client;
  };

  describe(`${name} as a queue client`, () => {
    it('says that a queue is missing, and does nothing else about it', async () => {
      const client = fresh();
      expect(await client.receive(1, minuteMs, signal)).toEqual({ kind: 'missing' });
      expect(await client.send('text', signal)).toBe('missing');
      expect(await client.receive(1, minuteMs, signal)).toEqual({ kind: 'missing' });
    });

    it('tells how much waits, and takes nothing', async () => {
      expect(await fresh().measure(signal)).toEqual({ kind: 'missing' });
      const empty = { kind: 'measured', messageCount: 0, oldestMs: undefined };
      expect(await (await created()).measure(signal)).toEqual(empty);
      const client = await created('a', 'b', 'c');
      const measure = await client.measure(signal);
      expect(measure).toMatchObject({ kind: 'measured', messageCount: 3 });
      expect(measure.kind === 'measured' && (measure.oldestMs ?? -1)).toBeGreaterThanOrEqual(0);
      // What is hidden counts nothing by itself.
      expect(await receive(client)).toHaveLength(3);
      expect(await client.measure(signal)).toEqual(empty);
    });

    it('creates a queue, and is content when it exists', async () => {
      const client = await created();
      await client.create(signal);
      expect(await receive(client)).toEqual([]);
    });

    it('gives out what was sent, character for character, once', async () => {
      const texts = ['plain', 'aGVsbG8=', '<xml attribute="1">&amp;</xml>', 'ä日本🎉', '{"a":1}', ' spaces ', ''];
      const client = await created(...texts);
      expect((await receive(client)).map((message) => message.text).sort()).toEqual([...texts].sort());
      expect(await receive(client)).toEqual([]);
    });

    it('gives no more than it is asked for', async () => {
      const client = await created('a', 'b', 'c');
      expect(await receive(client, 2)).toHaveLength(2);
      expect(await receive(client, 2)).toHaveLength(1);
    });

    it('counts how often a message was given out, and shows it again when told to', async () => {
      const client = await created('a');
      const [first] = await receive(client);
      expect(first).toMatchObject({ dequeueCount: 1, text: 'a' });
      const released = await client.setVisibility(receiptOf(first), 0, signal);
      expect(released).toMatchObject({ kind: 'changed', receipt: { id: first?.id } });
      const [second] = await receive(client);
      expect(second).toMatchObject({ dequeueCount: 2, id: first?.id });
      expect(second?.popReceipt).not.toBe(first?.popReceipt);
    });

    it('has times that make sense', async () => {
      const client = await created('a');
      const [message] = await receive(client);
      expect(message?.nextVisibleMs).toBeGreaterThan(message?.insertedMs ?? 0);
      expect(message?.expiresMs).toBeGreaterThan(message?.nextVisibleMs ?? 0);
    });

    it('renews with a new receipt that alone is valid', async () => {
      const client = await created('a');
      const [message] = await receive(client);
      const renewed = await client.setVisibility(receiptOf(message), minuteMs, signal);
      expect(await client.delete(receiptOf(message), signal)).toBe('gone');
      expect(await client.setVisibility(receiptOf(message), minuteMs, signal)).toEqual({ kind: 'gone' });
      const receipt = renewed.kind === 'changed' ? renewed.receipt : receiptOf(undefined);
      expect(await client.delete(receipt, signal)).toBe('deleted');
    });

    it('knows a message no more after it was deleted', async () => {
      const client = await created('a');
      const [message] = await receive(client);
      expect(await client.delete(receiptOf(message), signal)).toBe('deleted');
      expect(await client.delete(receiptOf(message), signal)).toBe('gone');
      expect(await client.setVisibility(receiptOf(message), 0, signal)).toEqual({ kind: 'gone' });
    });

    it('rejects at once when the signal has aborted', async () => {
      const client = await created('a');
      await expect(client.receive(1, minuteMs, AbortSignal.abort())).rejects.toThrow();
      expect(await receive(client)).toHaveLength(1);
    });
  });
}

async function receive(client: QueueClient, count = 32): Promise<readonly QueueMessage[]> {
  const result = await client.receive(count, minuteMs, signal);
  return result.kind === 'messages' ? result.messages : [];
}

function receiptOf(message: QueueMessage | undefined): { id: string; popReceipt: string } {
  return { id: message?.id ?? '', popReceipt: message?.popReceipt ?? '' };
}
