/**
 * Whether the process is well enough for the apps that want the same of it (`healthMonitor` of host.json).
 *
 * Phases: well <-> unwell; any -> ended. Ownership: `HealthMonitors` keeps one for each such section, with a member for each app.
 *
 * I1 It is unwell exactly while more than `healthCheckThreshold` of the looks within the last `healthCheckWindow` found something short.
 * I2 Every member hears of each change once, and one that joins while it is unwell at once.
 * I3 It looks every `healthCheckInterval`, only while it has members, and remembers a limited number of looks.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import type { HealthMonitorSettings } from '@switchyard/model';
import type { ProcessHealth, Vital } from './process-health.ts';

/** Hears that the process is not well, and of what there is too little; or that it is well again. */
export type HealthMember = (isUnwell: boolean, shortages: readonly Vital[]) => void;

/** Looks that found something short and are remembered, whatever the threshold of an app. */
const rememberedLooks = 1_000;

export class HealthMonitor {
  readonly #clock: Pick<Clock, 'monotonic' | 'schedule'>;
  readonly #health: Pick<ProcessHealth, 'shortages'>;
  readonly #settings: HealthMonitorSettings;
  readonly #members = new Set<HealthMember>();
  /** When something was short, newest last: one more than the threshold is all that matters. */
  #shortAtMs: readonly number[] = [];
  #shortages: readonly Vital[] = [];
  #isUnwell = false;
  #timer: Timer | undefined;

  constructor(
    clock: Pick<Clock, 'monotonic' | 'schedule'>,
    health: Pick<ProcessHealth, 'shortages'>,
    settings: HealthMonitorSettings,
  ) {
    this.#clock = clock;
    this.#health = health;
    this.#settings = settings;
  }

  get hasMembers(): boolean {
    return this.#members.size > 0;
  }

  /** Returns how to leave. */
  join(observer: HealthMember): () => void {
    // Whoever joins twice hears twice.
    const member: HealthMember = (isUnwell, shortages) => observer(isUnwell, shortages);
    this.#members.add(member);
    this.#timer ??= this.#schedule();
    if (this.#isUnwell) member(true, this.#shortages);
    return () => {
      this.#members.delete(member);
      if (this.hasMembers) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  #schedule(): Timer {
    return this.#clock.schedule(this.#settings.healthCheckIntervalMs, () => this.#look());
  }

  #look(): void {
    const { counterThreshold, healthCheckThreshold, healthCheckWindowMs } = this.#settings;
    const nowMs = this.#clock.monotonic();
    const tolerated = Math.min(healthCheckThreshold, rememberedLooks);
    const shortages = this.#health.shortages(counterThreshold);
    if (shortages.length > 0) {
      this.#shortages = shortages;
      this.#shortAtMs = [...this.#shortAtMs, nowMs].slice(-tolerated - 1);
    }
    this.#timer = this.#schedule();
    const within = this.#shortAtMs.filter((atMs) => nowMs - atMs < healthCheckWindowMs);
    const isUnwell = within.length > tolerated;
    if (isUnwell === this.#isUnwell) return;
    this.#isUnwell = isUnwell;
    for (const member of [...this.#members]) member(isUnwell, this.#shortages);
  }
}
