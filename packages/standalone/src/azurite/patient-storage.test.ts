import { createDeferred, Secret } from '@switchyard/kernel';
import type { QueueClient, StorageConnection } from '@switchyard/triggers';
import { describe, expect, it } from 'vitest';
import { createPatientStorage, type StorageService } from './patient-storage.ts';

const connection: StorageConnection = { connectionString: new Secret(''), queueEndpoint: 'http://127.0.0.1:10001' };
const receipt = { id: '1', popReceipt: 'p' };
const { signal } = new AbortController();

/** Notes what it is asked; its members need their object, as those of classes do. */
class NotingQueue implements QueueClient {
  readonly name = 'orders';
  readonly calls: string[] = [];
  readonly #calls = this.calls;
  measure = () => this.#note('measure', { kind: 'missing' } as const);
  receive = () => this.#note('receive', { kind: 'missing' } as const);
  setVisibility = () => this.#note('setVisibility', { kind: 'gone' } as const);
  delete = () => this.#note('delete', 'deleted' as const);

  send(text: string): Promise<'sent'> {
    return this.#note(`send ${text}`, 'sent');
  }

  create(): Promise<void> {
    return this.#note('create', undefined);
  }

  #note<T>(name: string, answer: T): Promise<T> {
    this.#calls.push(name);
    return Promise.resolve(answer);
  }
}

function open() {
  const client = new NotingQueue();
  const service: StorageService<QueueClient> = { open: () => client };
  const opened = createDeferred<void>();
  const storage = { opened: opened.promise, isOpen: false };
  void opened.promise.then(() => {
    storage.isOpen = true;
  });
  return { calls: client.calls, client, opened, patient: createPatientStorage(service, storage) };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createPatientStorage', () => {
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
    expect(calls).toEqual(['receive', 'setVisibility', 'delete', 'send text', 'create']);
    await queue.send('more', signal);
    expect(calls.at(-1)).toBe('send more');
  });

  it('lets an aborted request go on at once, for the service to refuse it', async () => {
    const { calls, patient } = open();
    const queue = patient.open(connection, 'orders');
    const aborting = new AbortController();
    const waiting = queue.send('text', aborting.signal);
    aborting.abort();
    await waiting;
    await queue.create(aborting.signal);
    expect(calls).toEqual(['send text', 'create']);
  });

  it('steps aside once the emulator listens', async () => {
    const { client, opened, patient } = open();
    opened.resolve();
    await settle();
    expect(patient.open(connection, 'orders')).toBe(client);
  });
});
