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

/** `waiting` for the next probe, `probing` until the answer or the timeout, then again; `over` for good. */
type State = { readonly kind: 'waiting' | 'probing'; readonly timer: Timer } | { readonly kind: 'over' };

/** Begins to probe; `onDead` is called at most once. */
export function startKeepAlive(clock: Clock, options: KeepAliveOptions, probe: Probe, onDead: () => void): KeepAlive {
  let state: State = { kind: 'waiting', timer: clock.schedule(options.intervalMs, check) };

  function wait(): void {
    state = { kind: 'waiting', timer: clock.schedule(options.intervalMs, check) };
  }

  function check(): void {
    const before = probe.bytesRead();
    const timer = clock.schedule(options.timeoutMs, () => setImmediate(judge));
    const probing: State = { kind: 'probing', timer };
    state = probing;

    // A turn later than the timer: where this process itself was busy for long, the answer has arrived and was not read.
    function judge(): void {
      if (state !== probing) return;
      if (probe.bytesRead() !== before) {
        wait();
        return;
      }
      state = { kind: 'over' };
      onDead();
    }

    probe.ping(() => {
      if (state !== probing) return;
      timer.cancel();
      wait();
    });
  }

  return {
    stop: () => {
      if (state.kind !== 'over') state.timer.cancel();
      state = { kind: 'over' };
    },
  };
}
