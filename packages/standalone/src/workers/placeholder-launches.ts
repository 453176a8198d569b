import { isAbsolute } from 'node:path';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import {
  type PlaceholderLaunch,
  type ResolvedWorker,
  type ResolveWorkerDeps,
  readWorkerCatalogue,
  resolveWorker,
  type WorkerLaunch,
} from '@switchyard/sidecar';
import { standaloneErrors } from '../errors.ts';
import { inspectorArgument } from '../up/worker-processes.ts';

/** How placeholders of every language of the catalogue are started. */
export interface PlaceholderLaunches {
  /**
   * The worker that serves apps of a stack.
   * @throws PlatformError STACK_UNAVAILABLE when there is none here
   */
  workerOf(stack: Stack): StackWorker;
  /**
   * The stack with every part named: the version and architecture of the worker that is here, where the app leaves it open.
   * @throws PlatformError STACK_UNAVAILABLE when the app wants another one
   */
  complete(stack: Stack): Stack;
  /** What a user must be able to read to run the workers that are here. */
  readonly programs: readonly string[];
  /** @throws PlatformError STACK_UNAVAILABLE */
  launchOf(stack: Stack): PlaceholderLaunch;
  /**
   * How a worker is started that has to know its app from the start.
   * @throws PlatformError of the catalogue when the app asks for something that is not here
   */
  launchFor(stack: Stack, app: AppOfWorker): Promise<WorkerLaunch>;
}

export interface StackWorker {
  readonly stack: Stack;
  readonly worker: ResolvedWorker;
}

export interface AppOfWorker {
  /** The folder with its files. */
  readonly scriptRoot: string;
  /** The whole environment of its worker. */
  readonly environment: Readonly<Record<string, string>>;
}

interface FoundWorker extends StackWorker {
  /** With the release that this worker runs on. */
  readonly deps: ResolveWorkerDeps;
}

export interface PlaceholderLaunchesOptions {
  /** An empty folder in which placeholders start. */
  readonly emptyFolder: string;
  /** The machine's own variables that workers need to run; nothing of a customer. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * The whole environment of the installation: `languageWorkers__...` in it name further workers, and their descriptions
   * may name any variable. Workers see nothing of it.
   */
  readonly installation: Readonly<Record<string, string>>;
}

type Outcome =
  | { readonly kind: 'found'; readonly found: FoundWorker }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Resolves every worker of the catalogue once, on every release that is here. What is wrong with one is told when an app wants it. */
export async function createPlaceholderLaunches(
  deps: ResolveWorkerDeps,
  options: PlaceholderLaunchesOptions,
): Promise<PlaceholderLaunches> {
  const outcomes = new Map<string, readonly Outcome[]>();
  for (const language of await languagesOf(deps, options)) {
    const onEach = onEachInterpreter(deps, language).map((chosen) => resolveOne(chosen, options, language));
    outcomes.set(language, await Promise.all(onEach));
  }
  const foundOf = (runtime: string): readonly FoundWorker[] =>
    (outcomes.get(runtime) ?? []).flatMap((outcome) => (outcome.kind === 'found' ? [outcome.found] : []));
  const workersOf = (runtime: string): readonly [FoundWorker, ...FoundWorker[]] => {
    const language = runtime.trim().toLowerCase();
    const [first, ...others] = foundOf(language);
    if (first !== undefined) return [first, ...others];
    const [outcome] = outcomes.get(language) ?? [];
    const known = [...outcomes.keys()].filter((other) => foundOf(other).length > 0).sort();
    const reason = outcome?.kind === 'unusable' ? outcome.reason : 'no worker of that language is installed';
    throw standaloneErrors.create('STACK_UNAVAILABLE', { runtime, reason, known: known.join(', ') });
  };
  const matching = ({ runtime, version, architecture }: Stack): FoundWorker => {
    const workers = workersOf(runtime);
    const match = workers.find(({ stack }) => fits(version, stack.version) && fits(architecture, stack.architecture));
    if (match !== undefined) return match;
    const versions = [...new Set(workers.map(({ stack }) => stack.version))].join(', ');
    const reason = `version '${version}' for ${architecture || process.arch} is wanted, and '${versions}' for ${process.arch} is here`;
    const more = runtime.trim().toLowerCase() === 'node' ? '; `switchyard node add` fetches other releases' : '';
    throw standaloneErrors.create('STACK_UNAVAILABLE', { runtime, reason, known: `${runtime} ${versions}${more}` });
  };
  const found = [...outcomes.keys()].flatMap(foundOf);
  return {
    workerOf: matching,
    programs: found.flatMap(({ worker }) => programsOf(worker)),
    complete: (stack) => matching(stack).stack,
    launchOf(stack) {
      const { launch, traits } = matching(stack).worker;
      return { launch, traits, workerDirectory: launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '' };
    },
    async launchFor(stack, { scriptRoot, environment }) {
      const { deps: chosen } = matching(stack);
      const known = { ...options.installation, ...environment };
      const resolved = await resolveWorker(chosen, { language: stack.runtime, scriptRoot, environment: known });
      return withoutOthers(resolved, known, environment).launch;
    },
  };
}

/** An app that leaves a part open takes any. */
function fits(wanted: string, here: string): boolean {
  return wanted === '' || wanted === here;
}

function programsOf({ launch }: ResolvedWorker): readonly string[] {
  return [launch.executable, launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '', ...launch.arguments].filter((word) =>
    isAbsolute(word),
  );
}

/** Our own Node.js first, then every other release: an app may want any of them. */
function onEachInterpreter(deps: ResolveWorkerDeps, language: string): readonly ResolveWorkerDeps[] {
  const candidates = deps.interpreters.get(language) ?? [];
  if (candidates.length < 2) return [deps];
  return candidates.map((candidate) => ({
    ...deps,
    interpreters: new Map([...deps.interpreters, [language, [candidate]]]),
  }));
}

/** Those that came with us, and those that the settings name: one by one, or as a folder of several. */
async function languagesOf(
  { files, catalogue }: ResolveWorkerDeps,
  { installation }: PlaceholderLaunchesOptions,
): Promise<ReadonlySet<string>> {
  const languages = new Set(catalogue.workers.keys());
  for (const [name, path] of Object.entries(installation)) {
    const [group, first = '', second] = name.toLowerCase().split(/__|:/);
    if (group !== 'languageworkers') continue;
    if (second === 'workerdirectory') languages.add(first);
    if (first !== 'workersdirectory') continue;
    const { workers } = await readWorkerCatalogue(files, [{ path, source: `the variable '${name}'` }]);
    for (const language of workers.keys()) languages.add(language);
  }
  return languages;
}

async function resolveOne(
  deps: ResolveWorkerDeps,
  { emptyFolder, environment, installation }: PlaceholderLaunchesOptions,
  language: string,
): Promise<Outcome> {
  try {
    const known = { ...installation, ...environment };
    const resolved = await resolveWorker(deps, { language, scriptRoot: emptyFolder, environment: known });
    const worker = withInspector(withoutOthers(resolved, known, environment));
    const { canUsePlaceholder, workerIndexing } = worker.traits;
    if (!canUsePlaceholder && workerIndexing) {
      const reason = 'its worker has to know the app when it starts, and nobody else can list the functions';
      return { kind: 'unusable', reason };
    }
    const stack = { runtime: language, version: worker.runtimeVersion, architecture: process.arch };
    return { kind: 'found', found: { stack, worker, deps } };
  } catch (thrown) {
    if (!isPlatformError(thrown)) throw thrown;
    return { kind: 'unusable', reason: messageOf(thrown) };
  }
}

/** The worker with `kept` alone of what is known, and with everything that was added for it. */
function withoutOthers(
  worker: ResolvedWorker,
  known: Readonly<Record<string, string>>,
  kept: Readonly<Record<string, string>>,
): ResolvedWorker {
  const { launch } = worker;
  const entries = Object.entries(launch.environment).filter(
    ([name, value]) => Object.hasOwn(kept, name) || !Object.hasOwn(known, name) || known[name] !== value,
  );
  return { ...worker, launch: { ...launch, environment: Object.fromEntries(entries) } };
}

/** A worker on Node.js can open its inspector while it serves; the port must not be the same for all of them. */
function withInspector(worker: ResolvedWorker): ResolvedWorker {
  if (worker.language !== 'node') return worker;
  const { launch } = worker;
  return { ...worker, launch: { ...launch, arguments: [inspectorArgument, ...launch.arguments] } };
}
