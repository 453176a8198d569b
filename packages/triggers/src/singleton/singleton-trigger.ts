/** Makes a singleton of a trigger: of all Runtimes that serve an app, one listens. */
import type { BindingScope, ListenerTriggerKind } from '../contract.ts';
import { findHostStorage, functionIdOf } from '../storage/host-storage.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { fenceInvocations } from './fence.ts';
import { createSingletonListener } from './singleton-listener.ts';
import type { SingletonLocks } from './singleton-locks.ts';

/** The lock's periods, from `singleton` of host.json. */
export interface SingletonPeriods {
  readonly periodMs: number;
  readonly recoveryMs: number;
}

/** The options of the wrapped kind, and where its lock is. */
export interface SingletonTriggerOptions<Options> {
  readonly inner: Options;
  readonly connection: StorageConnection | undefined;
  readonly periods: SingletonPeriods;
}

/** The defaults of the official host for the locks of listeners. */
const defaultPeriodMs = 60_000;
const developmentPeriodMs = 15_000;
const defaultRecoveryMs = 60_000;

/** Wraps a kind. Its listeners take the lock `Host.Functions.{name}.Listener`, as in the official host. */
export function createSingletonTrigger<Options>(
  kind: ListenerTriggerKind<Options>,
  deps: { readonly locks: SingletonLocks },
): ListenerTriggerKind<SingletonTriggerOptions<Options>> {
  return {
    style: 'listener',
    type: kind.type,
    parse: (binding, scope) => ({
      inner: kind.parse(binding, scope),
      connection: findHostStorage(scope.settings),
      periods: periodsOf(scope),
    }),
    listen({ inner, connection, periods }, context) {
      const lockId = `${functionIdOf(context.functionName)}.Listener`;
      const request = { connection, hostId: context.hostId, lockId, periodMs: periods.periodMs };
      const { clock, random, log } = context;
      return createSingletonListener(
        (lock) => kind.listen(inner, fenceInvocations(context, lock)),
        { clock, random, log, locks: deps.locks },
        { request, recoveryMs: periods.recoveryMs },
      );
    },
  };
}

/**
 * The periods for a listener's lock. In development a lock is asked for as often as it may come free, since the only one
 * who could have it is the process that was there before.
 */
export function periodsOf({ singleton, development }: BindingScope): SingletonPeriods {
  const periodMs = singleton?.listenerLockPeriodMs ?? (development ? developmentPeriodMs : defaultPeriodMs);
  const recoveryMs = singleton?.listenerLockRecoveryPollingIntervalMs ?? defaultRecoveryMs;
  return { periodMs, recoveryMs: development ? Math.min(periodMs, recoveryMs) : recoveryMs };
}
