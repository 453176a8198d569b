import type { JobHost } from './job-host.ts';

/** What the table needs to know of a JobHost. */
type Entry = Pick<JobHost, 'key'> & {
  readonly application: { readonly definition: { readonly applicationId: string } };
};

/**
 * The JobHosts of a Runtime, in the order in which their keys came.
 *
 * I1 One JobHost has a key; a newer one takes its place, and an older one that leaves late takes nothing along.
 * I2 Those of one app are found without a look at the others: an installation has thousands of apps.
 */
export class JobHostTable<Host extends Entry = JobHost> {
  readonly #byKey = new Map<string, Host>();
  readonly #byApplication = new Map<string, Map<string, Host>>();

  get all(): readonly Host[] {
    return [...this.#byKey.values()];
  }

  get(key: string): Host | undefined {
    return this.#byKey.get(key);
  }

  /** Of an app, oldest first. */
  of(applicationId: string): readonly Host[] {
    return [...(this.#byApplication.get(applicationId)?.values() ?? [])];
  }

  set(jobHost: Host): void {
    const { applicationId } = jobHost.application.definition;
    this.#byKey.set(jobHost.key, jobHost);
    const own = this.#byApplication.get(applicationId) ?? new Map<string, Host>();
    own.set(jobHost.key, jobHost);
    this.#byApplication.set(applicationId, own);
  }

  /** Nothing where another one has its key by now. */
  delete(jobHost: Host): void {
    if (this.#byKey.get(jobHost.key) !== jobHost) return;
    const { applicationId } = jobHost.application.definition;
    this.#byKey.delete(jobHost.key);
    const own = this.#byApplication.get(applicationId);
    own?.delete(jobHost.key);
    if (own?.size === 0) this.#byApplication.delete(applicationId);
  }
}
