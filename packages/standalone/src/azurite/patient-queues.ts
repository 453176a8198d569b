import type { QueueClient, QueueService } from '@switchyard/triggers';

/**
 * Queues whose requests wait until the storage emulator in the box listens, so that nobody sees a failure while it
 * starts. `opened` always resolves; a request that is aborted meanwhile fails as the service itself would let it fail.
 */
export function createPatientQueues(service: QueueService, opened: Promise<void>): QueueService {
  let isOpen = false;
  const noteOpen = (): void => {
    isOpen = true;
  };
  opened.then(noteOpen, noteOpen);
  return {
    open(connection, queueName) {
      const client = service.open(connection, queueName);
      return isOpen ? client : new PatientQueueClient(client, opened);
    },
  };
}

class PatientQueueClient implements QueueClient {
  readonly #client: QueueClient;
  readonly #opened: Promise<void>;

  constructor(client: QueueClient, opened: Promise<void>) {
    this.#client = client;
    this.#opened = opened;
  }

  get name(): string {
    return this.#client.name;
  }

  async receive(...call: Parameters<QueueClient['receive']>): ReturnType<QueueClient['receive']> {
    await this.#ready(call[2]);
    return this.#client.receive(...call);
  }

  async setVisibility(...call: Parameters<QueueClient['setVisibility']>): ReturnType<QueueClient['setVisibility']> {
    await this.#ready(call[2]);
    return this.#client.setVisibility(...call);
  }

  async delete(...call: Parameters<QueueClient['delete']>): ReturnType<QueueClient['delete']> {
    await this.#ready(call[1]);
    return this.#client.delete(...call);
  }

  async send(...call: Parameters<QueueClient['send']>): ReturnType<QueueClient['send']> {
    await this.#ready(call[1]);
    return this.#client.send(...call);
  }

  async create(...call: Parameters<QueueClient['create']>): ReturnType<QueueClient['create']> {
    await this.#ready(call[0]);
    return this.#client.create(...call);
  }

  #ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go);
        resolve();
      };
      signal.addEventListener('abort', go, { once: true });
      if (signal.aborted) go();
      this.#opened.then(go, go);
    });
  }
}
