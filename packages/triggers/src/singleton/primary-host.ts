/**
 * The primary host of an app: the one of its hosts that has the lease `locks/{hostId}/host` in the app's storage, as the official
 * host takes it (PrimaryHostCoordinator). What must run once has a lock of its own here; the lease is kept for hosts and tools that
 * look at it, and so that ours and official ones agree on who is primary.
 *
 * Ownership: whoever opens it closes it.
 *
 * I1 At most one host in the world is primary, and nobody is while storage is away.
 * I2 `close` gives the lease back.
 */
import type { Clock, Log, Random } from '@switchyard/kernel';
import type { SettingsView } from '@switchyard/model';
import type { TriggerListener } from '../contract.ts';
import { findHostStorage } from '../storage/host-storage.ts';
import { createSingletonListener } from './singleton-listener.ts';
import type { HeldLock, SingletonLocks } from './singleton-locks.ts';

export interface PrimaryHostsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly locks: SingletonLocks;
}

export interface PrimaryHostScope {
  readonly settings: SettingsView;
  readonly hostId: string;
  /** What this host calls itself, for the log. */
  readonly instanceId: string;
  /** In development the only other host is one that was there before, so the lease is short. */
  readonly development: boolean;
  readonly log: Log;
}

export interface PrimaryHost {
  readonly isPrimary: boolean;
  close(): Promise<void>;
}

export interface PrimaryHosts {
  /** Seeks to be primary until it is closed. Undefined for an app without storage, which has no primary host. */
  open(scope: PrimaryHostScope): PrimaryHost | undefined;
}

const lockId = 'host';
const periodMs = 60_000;
const developmentPeriodMs = 15_000;

export function createPrimaryHosts({ clock, random, locks }: PrimaryHostsDeps): PrimaryHosts {
  return {
    open({ settings, hostId, instanceId, development, log }) {
      const connection = findHostStorage(settings);
      if (connection === undefined) return undefined;
      let held: HeldLock | undefined;
      const primary = (lock: HeldLock): TriggerListener => ({
        async start() {
          held = lock;
          log.write('information', 'Host lock lease acquired.', { category: 'Host.Singleton', instanceId });
        },
        drain: async () => {},
        async close() {
          held = undefined;
        },
      });
      const request = { connection, hostId, lockId, periodMs: development ? developmentPeriodMs : periodMs };
      const options = { request, recoveryMs: request.periodMs };
      const listener = createSingletonListener(primary, { clock, random, log: withoutWarnings(log), locks }, options);
      void listener.start(new AbortController().signal);
      return {
        get isPrimary() {
          return held?.isHeld ?? false;
        },
        close: () => listener.close(),
      };
    },
  };
}

/** Nothing depends on who is primary, so that nobody can be is no warning; what needs storage warns by itself. */
function withoutWarnings(log: Log): Log {
  return {
    write: (level, message, fields) => log.write(level === 'warning' ? 'debug' : level, message, fields),
    child: (fields) => withoutWarnings(log.child(fields)),
  };
}
