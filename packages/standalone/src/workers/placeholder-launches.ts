import { isAbsolute } from 'node:path';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import {
  type PlaceholderLaunch,
  type ResolvedWorker,
  type ResolveWorkerDeps,
  readWorkerCatalogue,
  resolveWorker,
} from '@switchyard/sidecar';
import { standaloneErrors } from '../errors.ts';
import { inspectorArgument } from '../up/worker-processes.ts';

/** How placeholders of every language of the catalogue are started. */
export interface PlaceholderLaunches {
  /**
   * The worker that serves apps of a language.
   * @throws PlatformError STACK_UNAVAILABLE when there is none here that can be started before its app is known
   */
  workerOf(runtime: string): PlaceholderWorker;
  /**
   * The stack with every part named: the version and architecture of the worker that is here, where the app leaves it open.
   * @throws PlatformError STACK_UNAVAILABLE when the app wants another one
   */
  complete(stack: Stack): Stack;
  /** What a user must be able to read to run the workers that are here. */
  readonly programs: readonly string[];
  /** @throws PlatformError STACK_UNAVAILABLE */
  launchOf(stack: Stack): PlaceholderLaunch;
}

export interface PlaceholderWorker {
  readonly stack: Stack;
  readonly worker: ResolvedWorker;
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
  | { readonly kind: 'found'; readonly found: PlaceholderWorker }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Resolves every worker of the catalogue once. What is wrong with one is told when an app wants it. */
export async function createPlaceholderLaunches(
  deps: ResolveWorkerDeps,
  options: PlaceholderLaunchesOptions,
): Promise<PlaceholderLaunches> {
  const outcomes = new Map<string, Outcome>();
  for (const language of await languagesOf(deps, options))
    outcomes.set(language, await resolveOne(deps, options, language));
  const workerOf = (runtime: string): PlaceholderWorker => {
    const outcome = outcomes.get(runtime.trim().toLowerCase());
    if (outcome?.kind === 'found') return outcome.found;
    const known = [...outcomes].filter(([, { kind }]) => kind === 'found').map(([language]) => language);
    const reason = outcome?.reason ?? 'no worker of that language is installed';
    throw standaloneErrors.create('STACK_UNAVAILABLE', { runtime, reason, known: known.sort().join(', ') });
  };
  const matching = ({ runtime, version, architecture }: Stack): PlaceholderWorker => {
    const found = workerOf(runtime);
    const { stack } = found;
    if ([stack.version, ''].includes(version) && [stack.architecture, ''].includes(architecture)) return found;
    const reason = `version '${version}' for ${architecture} is wanted, and '${stack.version}' for ${stack.architecture} is here`;
    throw standaloneErrors.create('STACK_UNAVAILABLE', { runtime, reason, known: `${runtime} ${stack.version}` });
  };
  const found = [...outcomes.values()].flatMap((outcome) => (outcome.kind === 'found' ? [outcome.found] : []));
  return {
    workerOf,
    programs: found.flatMap(({ worker: { launch } }) =>
      [
        launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? [],
        ...launch.arguments.filter((word) => isAbsolute(word)),
      ].flat(),
    ),
    complete: (stack) => matching(stack).stack,
    launchOf(stack) {
      const { launch, traits } = matching(stack).worker;
      return { launch, traits, workerDirectory: launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '' };
    },
  };
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
    if (!worker.traits.canUsePlaceholder) {
      return { kind: 'unusable', reason: 'its worker has to know the app when it starts' };
    }
    const stack = { runtime: language, version: worker.runtimeVersion, architecture: process.arch };
    return { kind: 'found', found: { stack, worker } };
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
