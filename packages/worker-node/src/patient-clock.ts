import type { Clock } from '@switchyard/kernel';

/**
 * A clock whose callbacks run only after what has arrived meanwhile was read. User code may block the event loop for
 * minutes, and that is legal; without this, the first thing afterwards would be the timer that takes the host for dead,
 * with the host's answer lying unread in the socket.
 */
export function createPatientClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule(delayMs, callback) {
      // Immediates run after the phase in which the event loop reads its sockets.
      let immediate: NodeJS.Immediate | undefined;
      const timer = clock.schedule(delayMs, () => {
        immediate = setImmediate(callback);
      });
      return {
        cancel: () => {
          timer.cancel();
          clearImmediate(immediate);
        },
      };
    },
  };
}
