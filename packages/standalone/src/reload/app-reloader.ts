/**
 * Keeps one app of `switchyard dev` at the newest version of its folder that works.
 *
 * Phases: Idle <-> Trying (a new version is on its way) ; both -> Closed. Ownership: startDev owns one per app; it owns the
 * app's versions.
 *
 * I1 At most one version is on trial; a change during a trial ends it, and the newest state of the folder is tried instead.
 * I2 A version takes over only when its workers are ready, it has functions, and it breaks none that works now.
 * I3 A version that does not run changes nothing: the one before goes on serving.
 * I4 A failure is told once; the same one again costs a single line.
 * I5 After `close` nothing is tried or told, and what was on trial is gone.
 */
import { type Clock, createDeferred, messageOf, StateMachine } from '@switchyard/kernel';
import type { JobHostStatus } from '@switchyard/runtime';
import type { LoadedApplication } from '../application/load-application.ts';
import { takeInspectArguments } from '../debugger/inspect-arguments.ts';
import type { AppVersions, Version } from './app-versions.ts';
import { describeFailure, failureKey } from './failure-report.ts';
import { compareFunctions, findRegression } from './function-changes.ts';
import type { Changes } from './quiet-period.ts';
import type { ReloadOutput } from './reload-output.ts';
import type { SyntaxChecker } from './syntax-checker.ts';

export interface AppReloaderDeps {
  readonly clock: Clock;
  /** Reads the app's folder anew. Rejects with what is wrong with it. */
  readonly load: () => Promise<LoadedApplication>;
  readonly versions: Pick<AppVersions, 'current' | 'begin' | 'tryOut' | 'accept' | 'dismiss' | 'isHosted'>;
  readonly output: ReloadOutput;
  /** Tells what the user should know about the app's files. */
  readonly note: (text: string) => void;
  readonly checkSyntax: SyntaxChecker;
  /** A version serves from now on. */
  readonly onServing: (application: LoadedApplication, status: JobHostStatus) => Promise<void>;
  readonly baseUrl: string;
}

export interface AppReloaderOptions {
  readonly applicationId: string;
  readonly directory: string;
}

/** A version that was given up because the folder has changed again. */
const superseded = Symbol('superseded');

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'trying'; readonly changes: Changes; readonly abort: AbortController }
  | { readonly kind: 'closed' };

const edges = { idle: ['trying', 'closed'], trying: ['trying', 'idle', 'closed'], closed: [] } as const;

/** Paths of changes that are remembered until a version works. */
const maxUnproven = 100;

/** A version that takes longer than this to load is mentioned: its code may block, and says nothing of it itself. */
const slowLoadMs = 10_000;

export class AppReloader {
  readonly #deps: AppReloaderDeps;
  readonly #options: AppReloaderOptions;
  readonly #machine = new StateMachine<State>({ kind: 'idle' }, edges);
  /** What changed since the folder was read last. */
  #pending: Changes | undefined;
  /** What changed since a version worked last, newest first. */
  #unproven: readonly string[] = [];
  /** The functions of the version that works. */
  #serving: JobHostStatus | undefined;
  /** What was told of the failure that holds. */
  #lastFailure: string | undefined;
  /** Why the Runtime could not start the first version, the last time that it tried. */
  #lastProblem: string | undefined;
  readonly #notes = new Set<string>();
  /** The next version may have no functions: an administrator has removed one. */
  #mayBeEmpty = false;

  constructor(deps: AppReloaderDeps, options: AppReloaderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Hands the first version to the Runtime; rejects when the app has no worker. What it resolves with settles when the
   * version serves, or when its failure was told and the Runtime goes on trying; it rejects when the app cannot be hosted
   * at all.
   */
  async begin(application: LoadedApplication): Promise<{ readonly settled: Promise<void> }> {
    const version = await this.#deps.versions.begin(application);
    this.#tellNotes(version);
    return { settled: this.#settle(version) };
  }

  async #settle(version: Version): Promise<void> {
    const { versions } = this.#deps;
    try {
      const status = await this.#mentionIfSlow(version, version.ready);
      if (versions.current === version) await this.#serve(version, status);
    } catch (error) {
      // A newer version has taken its place, or everything ends.
      if (versions.current !== version || this.#machine.kind === 'closed') return;
      const reason = messageOf(error);
      this.#lastProblem = failureKey({ place: undefined, text: reason });
      if (versions.isHosted(version)) await this.#fail(reason, version);
      else {
        version.held.failed(reason);
        throw error;
      }
    }
  }

  /** An administrator changes the app's functions, and may mean to leave none: the next version tells. */
  expectRemoval(): void {
    this.#mayBeEmpty = true;
  }

  /** The app's folder changed. */
  changed(changes: Changes): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    const before = this.#pending ?? (state.kind === 'trying' ? state.changes : undefined);
    this.#pending = before === undefined ? changes : merge(before, changes);
    this.#unproven = [...new Set([...changes.paths, ...this.#unproven])].slice(0, maxUnproven);
    if (state.kind === 'trying') state.abort.abort();
    else void this.#tryAll();
  }

  /** A version of the app changed its state, perhaps by itself: a first version may come up after many tries. */
  observe(status: JobHostStatus): void {
    const version = this.#deps.versions.current;
    if (version?.key !== status.key || this.#serving?.key === status.key || this.#machine.kind === 'closed') return;
    if (status.state === 'active') {
      void this.#serve(version, status);
      return;
    }
    const problem = status.error === undefined ? undefined : failureKey({ place: undefined, text: status.error });
    if (status.error === undefined || this.#lastProblem === undefined) return;
    if (problem === this.#lastProblem) version.held.drop();
    else void this.#fail(status.error, version);
    this.#lastProblem = problem;
  }

  close(): void {
    const { state } = this.#machine;
    if (state.kind === 'trying') state.abort.abort();
    if (state.kind !== 'closed') this.#machine.transition({ kind: 'closed' });
  }

  async #tryAll(): Promise<void> {
    for (let changes = this.#pending; changes !== undefined; changes = this.#pending) {
      this.#pending = undefined;
      const abort = new AbortController();
      this.#machine.transition({ kind: 'trying', changes, abort });
      await this.#try(changes, abort.signal);
      if (this.#machine.kind === 'closed') return;
    }
    this.#machine.transition({ kind: 'idle' });
  }

  /** One trial. Never rejects: what goes wrong is told, or nobody's concern any more. */
  async #try(changes: Changes, signal: AbortSignal): Promise<void> {
    const { versions } = this.#deps;
    let version: Version | undefined;
    try {
      const application = await this.#deps.load();
      if (signal.aborted) return;
      version = await versions.tryOut(application);
      this.#tellNotes(version);
      const status = await this.#mentionIfSlow(version, unlessAborted(version.ready, signal));
      if (status === superseded) {
        versions.dismiss(version, undefined);
        return;
      }
      const regression = findRegression(this.#serving, status, this.#mayBeEmpty);
      if (regression === undefined) await this.#accept(version, status, changes);
      else await this.#reject(version, regression, signal);
    } catch (error) {
      if (version === undefined) await this.#tell(messageOf(error), undefined, signal);
      else await this.#reject(version, messageOf(error), signal);
    }
  }

  async #accept(version: Version, status: JobHostStatus, { paths, more, sinceMs }: Changes): Promise<void> {
    const { clock, versions, output, baseUrl } = this.#deps;
    const before = this.#serving;
    await versions.accept(version, httpFunctions(status));
    const durationMs = clock.monotonic() - sinceMs;
    await this.#serve(version, status);
    output.reloaded({ status, baseUrl, durationMs, paths, more, ...compareFunctions(before ?? status, status) });
  }

  async #serve(version: Version, status: JobHostStatus): Promise<void> {
    this.#serving = status;
    this.#mayBeEmpty = false;
    this.#lastFailure = undefined;
    this.#unproven = [];
    version.held.open();
    await this.#deps.onServing(version.application, status);
  }

  async #mentionIfSlow<T>({ worker }: Version, ready: Promise<T>): Promise<T> {
    const isDebugged = takeInspectArguments(worker.launch.arguments).request !== undefined;
    const advice = isDebugged
      ? 'Where it stands at a breakpoint, go on in the debugger; else look for a loop or an await that never ends.'
      : 'Look for a loop or an await that never ends.';
    const timer = this.#deps.clock.schedule(slowLoadMs, () =>
      this.#deps.note(`The code of the app has been loading for ${slowLoadMs / 1000} seconds. ${advice}`),
    );
    return ready.finally(() => timer.cancel());
  }

  #tellNotes({ application, worker }: Version): void {
    for (const note of [...application.notes, ...worker.notes]) {
      if (!this.#notes.has(note)) this.#deps.note(note);
      this.#notes.add(note);
    }
  }

  async #reject(version: Version, reason: string, signal: AbortSignal): Promise<void> {
    const report = await this.#tell(reason, version, signal);
    this.#deps.versions.dismiss(version, report);
  }

  /** The first version does not start; the Runtime goes on trying. */
  async #fail(reason: string, version: Version): Promise<void> {
    version.held.failed((await this.#tell(reason, version)) ?? reason);
  }

  /** Says why a version does not run. Returns what was said; undefined when nobody wants to know any more. */
  async #tell(reason: string, version: Version | undefined, signal?: AbortSignal): Promise<string | undefined> {
    const { output, checkSyntax } = this.#deps;
    const { applicationId, directory } = this.#options;
    const found = version === undefined ? undefined : await checkSyntax(version, reason, this.#unproven);
    if (signal?.aborted) return undefined;
    const report = found ?? describeFailure(reason, directory);
    const key = failureKey(report);
    if (key === this.#lastFailure) output.failedAgain(applicationId, report);
    else output.failed(applicationId, report, this.#serving !== undefined);
    this.#lastFailure = key;
    return `${reason}\n${report.text}`;
  }
}

function merge(before: Changes, now: Changes): Changes {
  return {
    paths: [...new Set([...before.paths, ...now.paths])].slice(-maxUnproven),
    more: before.more + now.more,
    sinceMs: now.sinceMs,
  };
}

function httpFunctions({ functions }: JobHostStatus): readonly string[] {
  return functions.filter(({ route }) => route !== undefined).map(({ name }) => name);
}

/** Settles as the promise does, unless the signal aborts first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | typeof superseded> {
  const aborted = createDeferred<typeof superseded>();
  const abort = (): void => aborted.resolve(superseded);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([aborted.promise, promise]).finally(() => signal.removeEventListener('abort', abort));
}
