import type { StorageConnection } from '@switchyard/triggers';

/** A part of storage: queues, containers or tables. The last argument of every request is its AbortSignal. */
export interface StorageService<Client extends object> {
  open(connection: StorageConnection, name: string): Client;
}

/** The storage emulators of an installation: more may be opened later, for apps that come later. */
export interface StorageOpening {
  /** Resolves when every emulator that is wanted now listens, or there is no hope for it. Never rejects. */
  readonly opened: Promise<void>;
  /** True when `opened` has resolved. */
  readonly isOpen: boolean;
}

/**
 * A service whose requests wait until the storage emulator in the box listens, so that nobody sees a failure while it
 * starts. A request that is aborted meanwhile fails as the service itself would let it fail.
 */
export function createPatientStorage<Client extends object>(
  service: StorageService<Client>,
  storage: StorageOpening,
): StorageService<Client> {
  const handler: ProxyHandler<Client> = {
    get(client, name) {
      const member: unknown = Reflect.get(client, name, client);
      if (typeof member !== 'function' || storage.isOpen)
        return typeof member === 'function' ? member.bind(client) : member;
      return async (...call: readonly unknown[]): Promise<unknown> => {
        const signal = call.at(-1);
        const { opened } = storage;
        await (signal instanceof AbortSignal ? openedOrAborted(opened, signal) : opened);
        return Reflect.apply(member, client, call);
      };
    },
  };
  return {
    open(connection, name) {
      const client = service.open(connection, name);
      return storage.isOpen ? client : new Proxy(client, handler);
    },
  };
}

/** Resolves at whichever comes first. */
export function openedOrAborted(opened: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      signal.removeEventListener('abort', go);
      resolve();
    };
    signal.addEventListener('abort', go, { once: true });
    if (signal.aborted) go();
    opened.then(go, go);
  });
}
