import type { LanguageDefaults } from './language-defaults.ts';
import type { ProcessOptions } from './process-options.ts';
import type { WorkerDescription } from './worker-config.ts';

/** What sets a language's workers apart, as data: whoever drives workers decides by these and never by the language. */
export interface WorkerTraits {
  /** Ask the worker for its functions; otherwise function.json is all there is, and the question may kill it. */
  readonly workerIndexing: boolean;
  /** Extensions of the script files that belong to this language, with their dots. */
  readonly extensions: readonly string[];
  /** How many processes an app starts with, and how many it may have. */
  readonly processCount: number;
  readonly maxProcessCount: number;
  readonly processStartupIntervalMs: number;
  /** From the start of the process to StartStream. */
  readonly processStartupTimeoutMs: number;
  /** From WorkerInitRequest to its answer. */
  readonly initializationTimeoutMs: number;
  readonly environmentReloadTimeoutMs: number;
  readonly processRestartIntervalMs: number;
  /** How long running invocations may take when the worker is to end. */
  readonly processShutdownTimeoutMs: number;
  /** Every line on stderr is an error, whatever it says. */
  readonly stderrIsError: boolean;
  /** The process outlives WorkerTerminate and the end of its stream: only a signal ends it. */
  readonly ignoresTermination: boolean;
  /** The worker can be started without an app and given one later. */
  readonly canUsePlaceholder: boolean;
}

/** Puts the traits of a resolved worker together. */
export function toWorkerTraits(
  description: WorkerDescription,
  options: ProcessOptions,
  processCount: number,
  defaults: LanguageDefaults,
): WorkerTraits {
  return {
    workerIndexing: description.workerIndexing,
    extensions: description.extensions,
    processCount,
    maxProcessCount: Math.max(processCount, options.maxProcessCount),
    processStartupIntervalMs: options.processStartupIntervalMs,
    processStartupTimeoutMs: options.processStartupTimeoutMs,
    initializationTimeoutMs: options.initializationTimeoutMs,
    environmentReloadTimeoutMs: options.environmentReloadTimeoutMs,
    processRestartIntervalMs: options.processRestartIntervalMs,
    processShutdownTimeoutMs: options.processShutdownTimeoutMs,
    stderrIsError: description.useStdErrorStreamForErrorsOnly,
    ignoresTermination: defaults.ignoresTermination,
    canUsePlaceholder: description.canUsePlaceholder || defaults.canUsePlaceholder,
  };
}
