import { createDeferred, Secret } from '@switchyard/kernel';
import type { QueueClient, QueueService, StorageConnection } from '@switchyard/triggers';
import { describe, expect, it } from 'vitest';
import { createPatientQueues } from './patient-queues.ts';

const connection: StorageConnection = { connectionString: new Secret(''), queueEndpoint: 'http://127.0.0.1:10001' };
const receipt = { id: '1', popReceipt: 'p' };
const { signal } = new AbortController();

function open() {
  const calls: string[] = [];
  const note = <T>(name: string, answer: T) => {
    calls.push(name);
    return Promise.resolve(answer);
  };
  const client: QueueClient = {
    name: 'orders',
    receive: () => note('receive', { kind: 'missing' }),
    setVisibility: () => note('setVisibility', { kind: 'gone' }),
    delete: () => note('delete', 'deleted'),
    send: () => note('send', 'sent'),
    create: () => note('create', undefined),
  };
  const service: QueueService = { open: () => client };
  const opened = createDeferred<void>();
  const patient = createPatientQueues(service, opened.promise);
  return { calls, client, opened, patient };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createPatientQueues', () => {
  it('lets requests wait until the emulator listens, and passes them on then', async () => {
    const { calls, opened, patient } = open();
    const queue = patient.open(connection, 'orders');
    expect(queue.name).toBe('orders');
    const answers = Promise.all([
      queue.receive(1, 1_000, signal),
      queue.setVisibility(receipt, 0, signal),
      queue.delete(receipt, signal),
      queue.send('text', signal),
      queue.create(signal),
    ]);
    await settle();
    expect(calls).toEqual([]);
    opened.resolve();
    expect(await answers).toEqual([{ kind: 'missing' }, { kind: 'gone' }, 'deleted', 'sent', undefined]);
    expect(calls).toEqual(['receive', 'setVisibility', 'delete', 'send', 'create']);
  });

  it('lets an aborted request go on at once, for the service to refuse it', async () => {
    const { calls, patient } = open();
    const queue = patient.open(connection, 'orders');
    const aborting = new AbortController();
    const waiting = queue.send('text', aborting.signal);
    aborting.abort();
    await waiting;
    await queue.create(aborting.signal);
    expect(calls).toEqual(['send', 'create']);
  });

  it('steps aside once the emulator listens', async () => {
    const { client, opened, patient } = open();
    opened.resolve();
    await settle();
    expect(patient.open(connection, 'orders')).toBe(client);
  });
});
