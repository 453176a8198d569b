import { describe, expect, it } from 'vitest';
import type { QueueMessage } from './queue-client.ts';
import { toQueueEvent } from './queue-event.ts';

function message(text: string): QueueMessage {
  return {
    id: 'm1',
    popReceipt: 'r1',
    text,
    dequeueCount: 2,
    insertedMs: Date.UTC(2024, 0, 2, 3, 4, 5),
    expiresMs: Date.UTC(9999, 11, 31, 23, 59, 59),
    nextVisibleMs: Date.UTC(2024, 0, 2, 3, 14, 5),
  };
}

const plain = { dataType: undefined, isDeferred: false } as const;

function entriesOf(text: string): unknown[] {
  const { metadata } = toQueueEvent(message(text), 'orders', 'none', plain);
  return [...metadata].map(([name, { data }]) => [name, data?.$case, data?.value]);
}

describe('toQueueEvent', () => {
  it('gives text unless the binding asks for bytes', () => {
    const value = (dataType: 'string' | 'binary' | 'stream' | undefined): unknown =>
      toQueueEvent(message('aGk='), 'orders', 'base64', { dataType, isDeferred: false }).data.data;
    expect(value(undefined)).toEqual({ $case: 'string', value: 'hi' });
    expect(value('string')).toEqual({ $case: 'string', value: 'hi' });
    expect(value('binary')).toEqual({ $case: 'bytes', value: Buffer.from('hi') });
    expect(value('stream')).toEqual({ $case: 'bytes', value: Buffer.from('hi') });
  });

  it('keeps JSON a text, as the recorded hosts send it', () => {
    expect(toQueueEvent(message('{"a":1}'), 'orders', 'none', plain).data.data).toEqual({
      $case: 'string',
      value: '{"a":1}',
    });
  });

  it('gives the whole message to a worker that reads it itself, as .NET writes it', () => {
    const { data } = toQueueEvent(message('aGk='), 'orders', 'base64', { dataType: 'binary', isDeferred: true }).data;
    const value = data?.$case === 'modelBindingData' ? data.value : undefined;
    expect(value).toMatchObject({ version: '1.0', source: 'AzureStorageQueues', contentType: 'application/json' });
    expect(JSON.parse(Buffer.from(value?.content ?? []).toString())).toEqual({
      MessageId: 'm1',
      PopReceipt: 'r1',
      MessageText: 'hi',
      Body: 'aGk=',
      NextVisibleOn: '2024-01-02T03:14:05+00:00',
      InsertedOn: '2024-01-02T03:04:05+00:00',
      ExpiresOn: '9999-12-31T23:59:59+00:00',
      DequeueCount: 2,
    });
  });

  it('has the official metadata', () => {
    expect(entriesOf('hello')).toEqual([
      ['QueueTrigger', 'string', 'hello'],
      ['DequeueCount', 'json', '2'],
      ['ExpirationTime', 'json', '"9999-12-31T23:59:59+00:00"'],
      ['Id', 'string', 'm1'],
      ['InsertionTime', 'json', '"2024-01-02T03:04:05+00:00"'],
      ['NextVisibleTime', 'json', '"2024-01-02T03:14:05+00:00"'],
      ['PopReceipt', 'string', 'r1'],
    ]);
  });

  it('lets the properties of a JSON message win over those', () => {
    const entries = new Map(
      entriesOf('{"id":5,"customer":{"name":"x"}}').map((entry) => [(entry as string[])[0], entry]),
    );
    expect(entries.get('Id')).toEqual(['Id', 'string', '5']);
    expect(entries.get('customer')).toEqual(['customer', 'json', '{"name":"x"}']);
    expect(entries.size).toBe(8);
  });

  it('gives the host its reason and details', () => {
    const event = toQueueEvent(message('hello'), 'orders', 'none', plain);
    expect(event.reason).toBe("New queue message detected on 'orders'.");
    expect(event.details).toEqual({ MessageId: 'm1', DequeueCount: '2', InsertedOn: '2024-01-02T03:04:05+00:00' });
  });
});
