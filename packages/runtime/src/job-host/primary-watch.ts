/**
 * Which apps seek to be primary from here: those that have a worker and listen to something, while their events come here. One
 * with routes alone has nothing that could happen twice, and one that sleeps takes no part.
 *
 * Ownership: the JobHostManager, which asks it to look at a JobHost whenever that has changed.
 */
import type { PrimaryHost, PrimaryHosts } from '@switchyard/triggers';
import type { JobHost } from './job-host.ts';

/** What is looked at of a JobHost. */
export type PrimaryCandidate = Pick<JobHost, 'application' | 'catalog' | 'key' | 'log' | 'state'>;

export class PrimaryWatch {
  readonly #hosts: PrimaryHosts;
  readonly #open = new Map<PrimaryCandidate, PrimaryHost>();

  constructor(hosts: PrimaryHosts) {
    this.#hosts = hosts;
  }

  isPrimary(jobHost: PrimaryCandidate): boolean {
    return this.#open.get(jobHost)?.isPrimary ?? false;
  }

  look(jobHost: PrimaryCandidate, isOnDuty: boolean): void {
    const isDue = isOnDuty && jobHost.state.kind === 'active' && listens(jobHost);
    if (!isDue) void this.leave(jobHost);
    else if (!this.#open.has(jobHost)) {
      const { hostId, settingsView: settings, development } = jobHost.application;
      const { log, key: instanceId } = jobHost;
      const opened = this.#hosts.open({ hostId, settings, development, instanceId, log });
      if (opened !== undefined) this.#open.set(jobHost, opened);
    }
  }

  /** Gives the lease back, if there is one. */
  async leave(jobHost: PrimaryCandidate): Promise<void> {
    const opened = this.#open.get(jobHost);
    this.#open.delete(jobHost);
    await opened?.close();
  }
}

function listens({ catalog }: PrimaryCandidate): boolean {
  return catalog?.entries.some(({ trigger, isDisabled }) => trigger.kind === 'listener' && !isDisabled) ?? false;
}
