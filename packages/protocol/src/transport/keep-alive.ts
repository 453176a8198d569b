/**
 * Probes a connection with HTTP/2 PING and reports a peer that has gone silent. Bytes of any kind count as life, so a
 * peer that is busy sending a large message is not taken for dead.
 *
 * I1 A peer that answers, or sends anything, within each timeout is never reported.
 * I2 A silent peer is reported once, at most interval + timeout after its last byte.
 * I3 After `stop` nothing is probed or reported.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import type { KeepAliveOptions } from './transport-limits.ts';

/** What keep-alive needs of a connection. */
export interface Probe {
  /** Sends a PING; `answered` is called when the acknowledgement arrives. */
  ping(answered: () => void): void;
  /** Bytes received so far. */
  bytesRead(): number;
}

export interface KeepAlive {
  stop(): void;
}

export function startKeepAlive(clock: Clock, options: KeepAliveOptions, probe: Probe, onDead: () => void): KeepAlive {
  let timer: Timer = clock.schedule(options.intervalMs, check);
  let stopped = false;

  function check(): void {
    const before = probe.bytesRead();
    let isAnswered = false;
    timer = clock.schedule(options.timeoutMs, () => {
      if (isAnswered || probe.bytesRead() !== before) timer = clock.schedule(options.intervalMs, check);
      else onDead();
    });
    probe.ping(() => {
      if (stopped || isAnswered) return;
      isAnswered = true;
      timer.cancel();
      timer = clock.schedule(options.intervalMs, check);
    });
  }

  return {
    stop: () => {
      stopped = true;
      timer.cancel();
    },
  };
}
