import type { LanguageDefaults } from './language-defaults.ts';
import type { ProcessOptions } from './process-options.ts';
import type { WorkerDescription } from './worker-config.ts';

/**
 * What sets a language's workers apart, as data: whoever drives workers decides by these and never by the language.
 * `processCount` is the app's, and `maxProcessCount` no less than that.
 */
export interface WorkerTraits extends Omit<ProcessOptions, 'setProcessCountToNumberOfCpuCores'> {
  /** Ask the worker for its functions; otherwise function.json is all there is, and the question may kill it. */
  readonly workerIndexing: boolean;
  /** Extensions of the script files that belong to this language, with their dots. */
  readonly extensions: readonly string[];
  /** Every line on stderr is an error, whatever it says. */
  readonly stderrIsError: boolean;
  /** The process outlives WorkerTerminate and the end of its stream: only a signal ends it. */
  readonly ignoresTermination: boolean;
  /** The worker can be started without an app and given one later. */
  readonly canUsePlaceholder: boolean;
  /** The worker shows its pod the key that it was started with: nobody else is taken for it. */
  readonly presentsKey: boolean;
}

/** Puts the traits of a resolved worker together. */
export function toWorkerTraits(
  description: WorkerDescription,
  { setProcessCountToNumberOfCpuCores: _counted, ...options }: ProcessOptions,
  processCount: number,
  defaults: LanguageDefaults,
): WorkerTraits {
  return {
    ...options,
    workerIndexing: description.workerIndexing,
    extensions: description.extensions,
    processCount,
    maxProcessCount: Math.max(processCount, options.maxProcessCount),
    stderrIsError: description.useStdErrorStreamForErrorsOnly,
    ignoresTermination: defaults.ignoresTermination,
    canUsePlaceholder: description.canUsePlaceholder || defaults.canUsePlaceholder,
    presentsKey: description.presentsWorkerKey,
  };
}
