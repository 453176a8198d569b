/**
 * Takes out what nothing needs any more: versions that were superseded long ago, packages that no version names, and the
 * folders to which those were unpacked.
 *
 * Ownership: the composition root starts and closes it.
 *
 * I1 A version with traffic, or among the newest of its app, stays; so do the packages of what stays.
 * I2 One sweep runs at a time; a failed one is logged, and the next one tries again.
 * I3 After `close` nothing is swept, and what was under way has ended.
 */
import { join } from 'node:path';
import type { Catalog } from '@switchyard/control-plane';
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';

export interface PackageSweeperDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly catalog: { readonly applications: Pick<Catalog['applications'], 'list'> } & {
    readonly versions: Pick<Catalog['versions'], 'list' | 'remove'>;
  };
  /** Removes the packages that no version names any more; answers their hashes. */
  readonly collect: () => Promise<readonly string[]>;
  /** The folders in which unpacked packages are, each under its hash. */
  readonly unpackedIn: () => Iterable<string>;
  readonly removeTree: (path: string) => Promise<void>;
}

export interface PackageSweeperOptions {
  readonly intervalMs: number;
  /** How many versions of an app stay, the newest ones. */
  readonly keptVersions: number;
}

export class PackageSweeper {
  readonly #deps: PackageSweeperDeps;
  readonly #options: PackageSweeperOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: PackageSweeperDeps, options: PackageSweeperOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Sweeps now, and then again and again. */
  start(): void {
    void this.sweep().then(() => this.#schedule());
  }

  /** Joins a sweep that runs. */
  sweep(): Promise<void> {
    this.#running ??= this.#sweep()
      .catch((error: unknown) =>
        this.#deps.log.write('warning', 'Old packages could not be removed', { error: messageOf(error) }),
      )
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.schedule(this.#options.intervalMs, () => this.start());
  }

  async #sweep(): Promise<void> {
    const { catalog, collect, log, unpackedIn, removeTree } = this.#deps;
    if (this.#isClosed) return;
    for (const { applicationId } of catalog.applications.list()) {
      // A version with traffic is not taken out: the catalog refuses that.
      for (const { codeVersion } of catalog.versions.list(applicationId).slice(this.#options.keptVersions)) {
        catalog.versions.remove(applicationId, codeVersion);
      }
    }
    const gone = await collect();
    for (const sha256 of gone) {
      for (const folder of unpackedIn()) await removeTree(join(folder, sha256));
    }
    if (gone.length > 0) log.write('debug', 'Old packages were removed', { count: gone.length });
  }
}
