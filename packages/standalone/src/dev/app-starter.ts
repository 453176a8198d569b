/**
 * Brings the apps of one `switchyard dev` up, and tells when each serves.
 *
 * Ownership: startDev owns it; it owns nothing but what it has told already.
 *
 * I1 An app that cannot run is told once with its reason, and keeps none of the others from running.
 * I2 The functions of an app are listed once, when it serves for the first time, be it at once or after its worker came
 *    up at last.
 * I3 With keys, every HTTP function has one before it is listed.
 */
import { messageOf } from '@switchyard/kernel';
import type { JobHostStatus, Runtime } from '@switchyard/runtime';
import type { AppKeyStores } from '../keys/key-store.ts';
import type { DevOutput } from '../output/dev-output.ts';
import type { AppLoop } from '../reload/app-loop.ts';

export interface AppStarterDeps {
  readonly runtime: Pick<Runtime, 'watch'>;
  readonly output: Pick<DevOutput, 'serving' | 'failed'>;
  /** Undefined lets every caller in. */
  readonly keyFile: Pick<AppKeyStores, 'addFunctions'> | undefined;
  readonly baseUrlOf: (applicationId: string) => string;
}

/** What brings one app up. */
export type StartedApp = Pick<AppLoop, 'begin' | 'observe'>;

export class AppStarter {
  readonly #deps: AppStarterDeps;
  readonly #apps = new Map<string, StartedApp>();
  /** The listing of each app, begun or done. */
  readonly #listings = new Map<string, Promise<void>>();
  #firstError: Error | undefined;

  constructor(deps: AppStarterDeps) {
    this.#deps = deps;
    deps.runtime.watch((status) => this.#apps.get(status.applicationId)?.observe(status));
  }

  /** Why the first of the apps that failed did. */
  get firstError(): Error | undefined {
    return this.#firstError;
  }

  /**
   * Hands each app to the Runtime. Resolves with the starts that are under way as soon as the Runtime knows of every app;
   * what failed before has been told.
   */
  async begin(apps: ReadonlyMap<string, StartedApp>): Promise<readonly Promise<void>[]> {
    const begun = await Promise.all([...apps].map(([applicationId, app]) => this.#begin(applicationId, app)));
    return begun.flatMap((start) => (start === undefined ? [] : [start.settled]));
  }

  async #begin(applicationId: string, app: StartedApp): Promise<{ readonly settled: Promise<void> } | undefined> {
    this.#apps.set(applicationId, app);
    try {
      const { settled } = await app.begin();
      return { settled: settled.catch((error: unknown) => this.#fail(error)) };
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** A version of an app serves. Resolves when the app has been listed, whoever told first, or when that has failed. */
  serving(status: JobHostStatus): Promise<void> {
    const { applicationId } = status;
    const begun =
      this.#listings.get(applicationId) ?? this.#listOnce(status).catch((error: unknown) => this.#fail(error));
    this.#listings.set(applicationId, begun);
    return begun;
  }

  async #listOnce(status: JobHostStatus): Promise<void> {
    const { keyFile, output, baseUrlOf } = this.#deps;
    const names = status.functions.filter(({ route }) => route !== undefined).map(({ name }) => name);
    await keyFile?.addFunctions(status.applicationId, names);
    output.serving(status, baseUrlOf(status.applicationId));
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    this.#firstError ??= error;
    this.#deps.output.failed(error);
  }
}
