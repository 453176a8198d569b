/**
 * Whether an app can have the worker as it was started, or needs it started anew: compares the runtime's version, the
 * arguments in their order, the executable and the worker's path. What an app does not set is the placeholder's, and no
 * change.
 */
import { isAbsolute, resolve } from 'node:path';
import { createSettingsView } from '@switchyard/model';
import { expandVariables, splitCommandWords } from '@switchyard/protocol';
import { coversVersion } from '../catalogue/runtime-version.ts';
import { readWorkerSettings } from '../catalogue/worker-settings.ts';
import type { LaunchChange, LaunchConfiguration } from '../wrapper/contract.ts';

/** How the placeholder was started. */
export interface CapturedLaunch extends LaunchConfiguration {
  readonly language: string;
  /** Empty when it is not known; then no version is a change. */
  readonly runtimeVersion: string;
  /** Where a relative path of a worker starts. */
  readonly workerDirectory: string;
}

/** What an app's settings ask for; undefined where they ask for nothing. */
export interface WantedLaunch {
  readonly runtimeVersion: string | undefined;
  readonly executable: string | undefined;
  /** Behind the placeholder's own. */
  readonly moreArguments: readonly string[];
  readonly workerPath: string | undefined;
}

export type LaunchDecision =
  | { readonly kind: 'keep' }
  /** `changed` names the parts, never their values. */
  | { readonly kind: 'restart'; readonly changed: string; readonly change: LaunchChange }
  /** Another version is another program, and these settings do not say which. */
  | { readonly kind: 'other-version'; readonly wanted: string };

/** Reads what an app's environment says of its worker's launch. */
export function readWantedLaunch(
  captured: CapturedLaunch,
  environment: ReadonlyMap<string, string>,
  scriptRoot: string,
): WantedLaunch {
  const { language, workerDirectory } = captured;
  const view = createSettingsView([...environment]);
  const settings = readWorkerSettings(view, language);
  const expand = (text: string): string => expandVariables(text, (name) => environment.get(name));
  const at = (folder: string, path: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  const program = settings.defaultExecutablePath;
  const workerPath = view.get(`languageWorkers:${language}:defaultWorkerPath`)?.trim() || undefined;
  const version = environment.get('FUNCTIONS_WORKER_RUNTIME_VERSION')?.trim() || settings.defaultRuntimeVersion;
  return {
    runtimeVersion: version,
    executable: program === undefined ? undefined : toProgram(expand(program), (path) => at(scriptRoot, path)),
    moreArguments: settings.arguments.flatMap((text) => splitCommandWords(expand(text))),
    workerPath: workerPath === undefined ? undefined : at(workerDirectory, expand(workerPath)),
  };
}

/** Decides. Pure. `other` is the launch of the wanted version, where somebody knows one. */
export function decideLaunch(
  captured: CapturedLaunch,
  wanted: WantedLaunch,
  other?: LaunchConfiguration,
): LaunchDecision {
  const isOther = isOtherVersion(captured.runtimeVersion, wanted.runtimeVersion);
  if (isOther && other === undefined && wanted.executable === undefined) {
    return { kind: 'other-version', wanted: wanted.runtimeVersion ?? '' };
  }
  const base = isOther && other !== undefined ? other : captured;
  const launch: LaunchConfiguration = {
    executable: wanted.executable ?? base.executable,
    arguments: [...base.arguments, ...wanted.moreArguments],
    workerPath: wanted.workerPath ?? base.workerPath,
  };
  const changed = [
    ...(isOther ? ['runtime version'] : []),
    ...(launch.executable === captured.executable ? [] : ['executable']),
    ...(isSameList(launch.arguments, captured.arguments) ? [] : ['arguments']),
    ...(launch.workerPath === captured.workerPath ? [] : ['worker path']),
  ];
  if (changed.length === 0) return { kind: 'keep' };
  return { kind: 'restart', changed: changed.join(', '), change: launch };
}

/** `24` and `24.3.0` are one version, and so are `~24` and `24`. */
function isOtherVersion(present: string, wanted: string | undefined): boolean {
  if (wanted === undefined || present === '') return false;
  return !coversVersion(wanted, present) && !coversVersion(present, wanted);
}

/** A bare name is left to the system. */
function toProgram(program: string, at: (path: string) => string): string {
  return /[/\\]/.test(program) ? at(program) : program;
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}
