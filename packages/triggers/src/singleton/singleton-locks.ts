/** Locks that at most one holder in the world has, for what must run once per app however many Runtimes serve it. */
import type { StorageConnection } from '../storage/storage-connection.ts';

/** Which lock. */
export interface LockName {
  /** The app's own storage (AzureWebJobsStorage), where all its Runtimes meet; undefined when it has none. */
  readonly connection: StorageConnection | undefined;
  readonly hostId: string;
  /** For example `Host.Functions.Tick.Listener`. */
  readonly lockId: string;
}

export interface LockRequest extends LockName {
  /** How long the lock outlives a holder that is gone: 15 to 60 s. */
  readonly periodMs: number;
}

/** What the holder may ask of its lock. */
export interface HeldLock {
  /** True while nobody else can have the lock. Asks the clock, so it is right even where timers have come late. */
  readonly isHeld: boolean;
  /** Aborts when the lock is lost: stop at once, somebody else may begin. Giving it back does not abort it. */
  readonly lost: AbortSignal;
}

/** A lock that was acquired. */
export interface SingletonLock extends HeldLock {
  /** Gives the lock back, best effort; it ends by itself otherwise. Never rejects. */
  release(): Promise<void>;
}

export interface SingletonLocks {
  /**
   * Tries once; undefined when somebody else has the lock. Rejects when nobody can tell who has it: then the caller has
   * it not.
   */
  acquire(request: LockRequest, signal: AbortSignal): Promise<SingletonLock | undefined>;
  /** Calls `freed` whenever this process gave the lock back, until the returned function is called. */
  watch(name: LockName, freed: () => void): () => void;
}

/** One text per lock. */
export function lockKey({ connection, hostId, lockId }: LockName): string {
  return JSON.stringify([connection?.queueEndpoint, hostId, lockId]);
}
