/**
 * The versions of one app in the Runtime: one serves, one is on trial, some end.
 *
 * Ownership: the app's reloader; the Runtime owns the JobHosts behind the versions.
 *
 * I1 Every version has a number of its own, and numbers grow.
 * I2 A version on trial gets no request and no event before it is accepted; a dismissed one leaves nothing behind.
 * I3 The version before an accepted one finishes what it has begun, for as long as its functions may run.
 * I4 No more than `maxEnding` versions end side by side; the oldest of more has no time left.
 * I5 What a version on trial logs is shown when it is accepted.
 */
import type { Log } from '@switchyard/kernel';
import { type ApplicationDefinition, jobHostKey } from '@switchyard/model';
import type { JobHostStatus, Runtime } from '@switchyard/runtime';
import type { ResolvedWorker } from '@switchyard/sidecar';
import type { LoadedApplication } from '../application/load-application.ts';
import type { AppKeyStores } from '../keys/key-store.ts';
import type { DevWorkers } from '../workers/dev-workers.ts';
import { HeldLog, type ShownLines } from './held-log.ts';
import { type FileAccess, toRuntimeApplication } from './runtime-application.ts';

export interface AppVersionsDeps {
  readonly runtime: Pick<Runtime, 'addApplication' | 'promoteApplication' | 'removeApplication' | 'status'>;
  readonly workers: Pick<DevWorkers, 'resolve' | 'forget'>;
  /** Undefined lets every caller in. */
  readonly keyFile: Pick<AppKeyStores, 'keysOf' | 'addFunctions'> | undefined;
  /** Lets administrators look after keys, also where nobody asks for them. */
  readonly keyStores?: Pick<AppKeyStores, 'storeOf'> | undefined;
  /** What administrators may do with the app's files; left out, nothing. */
  readonly files?: FileAccess;
  readonly log: Log;
}

/** A version that was handed to the Runtime. */
export interface Version {
  readonly definition: ApplicationDefinition;
  /** Of its JobHost. */
  readonly key: string;
  readonly application: LoadedApplication;
  readonly worker: ResolvedWorker;
  /** Settles as `addApplication` does. */
  readonly ready: Promise<JobHostStatus>;
  readonly held: HeldLog;
}

/** Versions whose functions run on, beside the one that serves. */
const maxEnding = 8;

/** For functions that may run for ever. */
const longestRunMs = 30 * 60_000;

/** After its functions' time a version gets so much more, so that their timeouts come first. */
const drainMarginMs = 60_000;

export class AppVersions {
  readonly #deps: AppVersionsDeps;
  readonly #shown: ShownLines = new Set();
  readonly #ending: Version[] = [];
  #current: Version | undefined;
  #count = 0;

  constructor(deps: AppVersionsDeps) {
    this.#deps = deps;
  }

  /** The version that the app's names lead to, well or not. */
  get current(): Version | undefined {
    return this.#current;
  }

  /** Hands the first version to the Runtime. Rejects when the app has no worker. */
  async begin(application: LoadedApplication): Promise<Version> {
    this.#current = await this.#add(application, false);
    return this.#current;
  }

  /** Hands a version to the Runtime that is to prove itself first. Rejects when it has no worker. */
  tryOut(application: LoadedApplication): Promise<Version> {
    return this.#add(application, true);
  }

  /** True while the Runtime goes on trying to start the version. */
  isHosted({ key }: Version): boolean {
    return this.#deps.runtime.status().some((status) => status.key === key);
  }

  /** Lets the version serve from now on. */
  async accept(version: Version, functionNames: readonly string[]): Promise<void> {
    const { runtime, keyFile, log } = this.#deps;
    await keyFile?.addFunctions(version.application.applicationId, functionNames);
    const before = this.#current;
    this.#current = version;
    version.held.open();
    // Requests go to the new version as soon as this returns; its listeners follow when those before have ended.
    const handedOver = runtime.promoteApplication(version.key);
    if (before !== undefined && before !== version) this.#end(before);
    handedOver.catch((error: unknown) => log.write('error', 'A version could not take over', { error: String(error) }));
  }

  /** Takes a version on trial back. `report` is what was said of its failure. */
  dismiss(version: Version, report: string | undefined): void {
    if (report === undefined) version.held.drop();
    else version.held.failed(report);
    this.#remove(version, 0);
  }

  #end(version: Version): void {
    const { functionTimeoutMs } = version.application.host;
    this.#ending.push(version);
    const [oldest] = this.#ending;
    if (this.#ending.length > maxEnding && oldest !== undefined) this.#remove(oldest, 0);
    this.#remove(version, Math.min(functionTimeoutMs ?? longestRunMs, longestRunMs) + drainMarginMs);
  }

  #remove(version: Version, deadlineMs: number): void {
    const { runtime, workers, log } = this.#deps;
    version.ready.catch(() => {});
    runtime
      .removeApplication(version.key, deadlineMs)
      .catch((error: unknown) => log.write('error', 'A version could not be ended', { error: String(error) }))
      .finally(() => {
        workers.forget(version.definition);
        const index = this.#ending.indexOf(version);
        if (index !== -1) this.#ending.splice(index, 1);
      });
  }

  async #add(application: LoadedApplication, standby: boolean): Promise<Version> {
    const { runtime, workers, keyFile, keyStores, log } = this.#deps;
    this.#count += 1;
    const definition = numbered(application.applicationId, this.#count);
    const worker = await workers.resolve(application, definition);
    const keys = await keyFile?.keysOf(application.applicationId);
    const held = new HeldLog(log, this.#shown);
    const keyStore = keyStores?.storeOf(application.applicationId);
    const hosted = {
      ...toRuntimeApplication(application, definition, worker, keys, this.#deps.files),
      ...(keyStore && { keyStore }),
    };
    const ready = runtime.addApplication(hosted, { standby, log: held.log });
    // Whoever tries the version out waits for it too; a version that is given up early is nobody's error.
    ready.catch(() => {});
    return { definition, key: jobHostKey(definition), application, worker, ready, held };
  }
}

/** A changed folder may have changed functions, so both versions change. */
function numbered(applicationId: string, count: number): ApplicationDefinition {
  return { applicationId, metadataVersion: `dev-${count}`, codeVersion: `dev-${count}` };
}
