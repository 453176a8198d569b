/**
 * The development loop of one app: what is saved is compiled where the app needs that, tried out, and served.
 *
 * Ownership: startDev opens one per app and closes it; it owns the watch and the compiler, and drives the reloader.
 *
 * I1 Changes are noticed as soon as the first version is on its way, unless the user or host.json forbids it.
 * I2 When a version changes what is to be watched, the watch follows.
 * I3 After `close` nothing is watched, compiled or tried.
 */
import { readFile } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import type { Clock } from '@switchyard/kernel';
import type { CustomHandlerSettings } from '@switchyard/model';
import type { JobHostStatus } from '@switchyard/runtime';
import type { ProcessPort } from '@switchyard/sidecar';
import type { LoadedApplication } from '../application/load-application.ts';
import { unreadFunctionsNote } from '../application/unread-functions.ts';
import { AppCompiler } from '../compiler/app-compiler.ts';
import { BuildReminder } from '../compiler/build-reminder.ts';
import {
  findTypeScript,
  inspectOutput,
  type OutputState,
  type ProjectFacts,
  readProjectFacts,
} from '../compiler/compiled-app.ts';
import { AppReloader, type AppReloaderDeps } from './app-reloader.ts';
import type { AppVersions } from './app-versions.ts';
import { AppWatch } from './app-watch.ts';
import { DataChanges } from './data-changes.ts';
import type { FolderPort } from './folder-port.ts';
import { type Changes, defaultQuietPeriod, QuietPeriod } from './quiet-period.ts';
import { createSyntaxChecker } from './syntax-checker.ts';
import { createWatchRules, type WatchFacts, type WatchRules } from './watch-rules.ts';

export interface AppLoopDeps extends Pick<AppReloaderDeps, 'load' | 'output' | 'note' | 'onServing'> {
  readonly clock: Clock;
  readonly folders: FolderPort;
  readonly processes: ProcessPort;
  readonly versions: AppVersions;
}

export interface AppLoopOptions {
  readonly baseUrl: string;
  /** False: changes are not looked for. */
  readonly watches: boolean;
  /** Compiles from the start, also when the output is there. */
  readonly builds: boolean;
  /** A folder that the host writes. */
  readonly dataFolder: string;
  /** The Node that runs the compiler. */
  readonly executable: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** How long a compiler may take to end. */
const compilerGraceMs = 1_000;

export class AppLoop {
  readonly #deps: AppLoopDeps;
  readonly #options: AppLoopOptions;
  readonly #reloader: AppReloader;
  readonly #quiet: QuietPeriod;
  readonly #data: DataChanges;
  #application: LoadedApplication;
  #facts: WatchFacts | undefined;
  #rules: WatchRules;
  #watch: AppWatch | undefined;
  #compiler: AppCompiler | BuildReminder | undefined;
  #isClosed = false;
  /** What was told last of files that nobody reads. */
  #unread: string | undefined;

  constructor(deps: AppLoopDeps, options: AppLoopOptions, application: LoadedApplication) {
    this.#deps = deps;
    this.#options = options;
    this.#application = application;
    this.#rules = createWatchRules(noFacts);
    const { applicationId, directory } = application;
    this.#quiet = new QuietPeriod(deps.clock, defaultQuietPeriod, (changes) => void this.#report(changes));
    this.#data = new DataChanges({
      clock: deps.clock,
      read: (path) => readFile(join(directory, path)).catch(() => undefined),
      onNote: deps.note,
    });
    this.#reloader = new AppReloader(
      {
        ...deps,
        baseUrl: options.baseUrl,
        checkSyntax: createSyntaxChecker(deps, () => this.#rules),
        onServing: (served, status) => this.#serving(served, status),
      },
      { applicationId, directory },
    );
  }

  /** Compiles the app if nobody has, and hands its first version to the Runtime, as `AppReloader.begin`. */
  async begin(): Promise<{ readonly settled: Promise<void> }> {
    const project = await readProjectFacts(this.#application.directory);
    const { outDir, ownBuild } = project;
    if (outDir !== undefined && this.#options.watches) {
      if (ownBuild === undefined) await this.#openCompiler(project, outDir);
      else await this.#openReminder(project, outDir, ownBuild);
    }
    const { settled } = await this.#reloader.begin(this.#application);
    const watched = this.#follow(project);
    return { settled: settled.finally(() => watched) };
  }

  /** A JobHost of the Runtime changed its state. */
  observe(status: JobHostStatus): void {
    this.#reloader.observe(status);
  }

  /** An administrator has changed a file of the app: it is looked at, also where nobody watches. */
  edited(path: string): void {
    if (this.#isClosed) return;
    this.#reloader.expectRemoval();
    this.#quiet.note(path);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#quiet.close();
    this.#watch?.close();
    this.#reloader.close();
    await this.#compiler?.stop(compilerGraceMs);
  }

  async #openCompiler(project: ProjectFacts, outDir: string): Promise<void> {
    const { directory } = this.#application;
    const { executable, environment, builds } = this.#options;
    const script = findTypeScript(directory);
    if (script === undefined) return;
    const { applicationId } = this.#application;
    const compiler = new AppCompiler(this.#deps, {
      directory,
      outDir,
      executable,
      script,
      environment,
      onErrors: (errors) => this.#deps.output.compiled(applicationId, errors),
      onNote: this.#deps.note,
    });
    this.#compiler = compiler;
    const output = await this.#inspect(project, outDir);
    if (output === 'fresh') {
      if (builds) compiler.start();
      return;
    }
    this.#deps.note(
      `${outDir} is ${output === 'missing' ? output : 'older than the sources'}: 'tsc --watch' builds it.`,
    );
    compiler.start();
    await compiler.firstPass;
    this.#application = await this.#deps.load();
  }

  /** The compiler would write over what another tool has made. That nothing is there yet is told with the app. */
  async #openReminder(project: ProjectFacts, outDir: string, command: string): Promise<void> {
    const { note, clock } = this.#deps;
    this.#compiler = new BuildReminder(clock, { outDir, command, onNote: note });
    if ((await this.#inspect(project, outDir)) === 'stale')
      note(`${outDir} is older than the sources: '${command}' builds it.`);
  }

  #inspect(project: ProjectFacts, outDir: string): Promise<OutputState> {
    const rules = createWatchRules({ ...noFacts, ...project, extensions: outputExtensions });
    return inspectOutput(this.#deps.folders, this.#application.directory, outDir, rules);
  }

  async #serving(application: LoadedApplication, status: JobHostStatus): Promise<void> {
    this.#application = application;
    await this.#deps.onServing(application, status);
    const note = await unreadFunctionsNote(application.directory, status);
    if (note !== undefined && note !== this.#unread) this.#deps.note(note);
    this.#unread = note;
    if (this.#watch !== undefined) await this.#follow(await readProjectFacts(application.directory));
  }

  /** Watches what the newest version wants watched. */
  async #follow(project: ProjectFacts): Promise<void> {
    const { watches } = this.#options;
    const { directory, host } = this.#application;
    const facts = this.#factsOf(project);
    if (!watches || !host.fileWatchingEnabled || this.#isClosed) {
      this.#watch?.close();
      this.#watch = undefined;
      return;
    }
    if (this.#watch !== undefined && JSON.stringify(facts) === JSON.stringify(this.#facts)) return;
    this.#watch?.close();
    this.#facts = facts;
    this.#rules = createWatchRules(facts);
    this.#watch = new AppWatch(this.#deps, {
      directory,
      rules: this.#rules,
      onChange: (kind, path) => this.#changed(kind, path),
      onNote: this.#deps.note,
    });
    await this.#watch.open();
  }

  #factsOf({ main, outDir }: ProjectFacts): WatchFacts {
    const { directory, host } = this.#application;
    const handlers = handlerFiles(host.customHandler);
    return {
      main,
      outDir,
      extensions: [...(this.#deps.versions.current?.worker.traits.extensions ?? []), ...handlers.map(extname)].filter(
        (extension) => extension !== '',
      ),
      fileNames: [...host.watchFiles, ...handlers],
      folders: host.watchDirectories,
      ownFolders: [relative(directory, this.#options.dataFolder)],
    };
  }

  async #report(changes: Changes): Promise<void> {
    const paths = await this.#data.realOf(changes.paths);
    if (paths.length > 0 || changes.more > 0) this.#reloader.changed({ ...changes, paths });
  }

  #changed(kind: 'version' | 'source', path: string): void {
    if (kind === 'source') this.#compiler?.sourceChanged(path);
    else {
      this.#compiler?.fileChanged(path);
      this.#quiet.note(path);
    }
  }
}

/** What TypeScript writes. */
const outputExtensions: readonly string[] = ['.js', '.mjs', '.cjs'];

/** Before anything is known of the app. */
const noFacts: WatchFacts = {
  main: undefined,
  outDir: undefined,
  extensions: [],
  fileNames: [],
  folders: [],
  ownFolders: [],
};

/** The files that a custom handler's command line names: what else it consists of is likely of the same kind. */
function handlerFiles(handler: CustomHandlerSettings | undefined): readonly string[] {
  if (handler === undefined) return [];
  const words = [handler.defaultExecutablePath, handler.defaultWorkerPath, ...handler.arguments];
  return [...words, ...handler.workerArguments].filter((word) => !word.startsWith('-')).map((word) => basename(word));
}
