/** One health monitor for all apps that want the same of it: ten thousand apps with the defaults cost one timer. */
import type { Clock } from '@switchyard/kernel';
import type { HealthMonitorSettings } from '@switchyard/model';
import { type HealthMember, HealthMonitor } from './health-monitor.ts';
import type { ProcessHealth } from './process-health.ts';

export class HealthMonitors {
  readonly #clock: Pick<Clock, 'monotonic' | 'schedule'>;
  readonly #health: ProcessHealth;
  /** By their settings as text; as many as apps have different ones. */
  readonly #monitors = new Map<string, HealthMonitor>();

  constructor(clock: Pick<Clock, 'monotonic' | 'schedule'>, health: ProcessHealth) {
    this.#clock = clock;
    this.#health = health;
  }

  /** Watches for an app, unless it wants none of it. Returns how to end that. */
  join(settings: HealthMonitorSettings, member: HealthMember): () => void {
    if (!settings.enabled) return () => {};
    const key = JSON.stringify(settings);
    const monitor = this.#monitors.get(key) ?? new HealthMonitor(this.#clock, this.#health, settings);
    this.#monitors.set(key, monitor);
    const leave = monitor.join(member);
    return () => {
      leave();
      if (!monitor.hasMembers) this.#monitors.delete(key);
    };
  }
}
