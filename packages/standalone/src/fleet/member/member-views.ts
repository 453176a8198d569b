/**
 * What people at the installation see of this Runtime: the frames of an app's workers while somebody watches, and what was measured.
 *
 * Ownership: the composition root of the Runtime's process. Every worker's stream goes through `tap`.
 *
 * I1 Frames of an app are sent from `watch` on until it is taken back or the installation is away.
 * I2 Frames for which the channel has no room are left out, and counted with the next one that it has room for.
 */
import type { Clock, Log } from '@switchyard/kernel';
import type { Link } from '@switchyard/protocol';
import type { MemoryMeter, MetricSnapshot } from '@switchyard/telemetry';
import { TraceTap } from '../../up/trace-tap.ts';
import type { InstallationNotes } from '../messages.ts';

export interface MemberViewsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Pick<MemoryMeter, 'snapshot'>;
  /** False when there is no room for it now. */
  readonly send: (frame: InstallationNotes['traced']) => boolean;
}

export class MemberViews {
  readonly #deps: MemberViewsDeps;
  readonly #traces: TraceTap;
  readonly #watched = new Map<string, () => void>();

  constructor(deps: MemberViewsDeps) {
    this.#deps = deps;
    this.#traces = new TraceTap(deps);
  }

  /** The Runtime's end of a worker's stream, looked at. */
  tap(link: Link): Link {
    return this.#traces.tap(link);
  }

  watch(applicationId: string, isWatched: boolean): void {
    this.#watched.get(applicationId)?.();
    this.#watched.delete(applicationId);
    if (!isWatched) return;
    let dropped = 0;
    const leave = this.#traces.watch(applicationId, (frame) => {
      if ('dropped' in frame) return;
      const isSent = this.#deps.send({ applicationId, frame, dropped });
      dropped = isSent ? 0 : dropped + 1;
    });
    this.#watched.set(applicationId, leave);
  }

  metrics(): MetricSnapshot {
    return this.#deps.meter.snapshot();
  }

  /** The installation is away: nobody watches any more. */
  leave(): void {
    for (const leave of this.#watched.values()) leave();
    this.#watched.clear();
  }
}
