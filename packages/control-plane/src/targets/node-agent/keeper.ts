import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';

export interface KeeperDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** One look; never two at once. */
  readonly keep: () => Promise<void>;
}

/** Looks again and again, until it is stopped; a look that fails is told, and the next one comes all the same. */
export function startKeeper({ clock, log, keep }: KeeperDeps, everyMs: number): { stop(): Promise<void> } {
  let timer: Timer | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    try {
      await keep();
    } catch (thrown) {
      log.write('warning', 'Services could not be looked at', { reason: messageOf(thrown) });
    }
    if (isStopped) return;
    timer = clock.schedule(everyMs, () => {
      looking = look();
    });
  };
  let looking = look();
  return {
    async stop() {
      isStopped = true;
      timer?.cancel();
      await looking;
    },
  };
}
