import type { ConfigReader } from './config-reader.ts';

/** How many processes a worker has, and how long each step of its life may take. */
export interface ProcessOptions {
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
  readonly setProcessCountToNumberOfCpuCores: boolean;
}

/** The official host's defaults (WorkerProcessCountOptions). */
export const defaultProcessOptions: ProcessOptions = {
  processCount: 1,
  maxProcessCount: 10,
  processStartupIntervalMs: 10_000,
  processStartupTimeoutMs: 60_000,
  initializationTimeoutMs: 10_000,
  environmentReloadTimeoutMs: 30_000,
  processRestartIntervalMs: 10_000,
  processShutdownTimeoutMs: 10_000,
  setProcessCountToNumberOfCpuCores: false,
};

/** Reads the `processOptions` of a file; what it leaves out keeps its default. */
export function readProcessOptions(reader: ConfigReader): ProcessOptions {
  const defaults = defaultProcessOptions;
  const duration = (key: string, otherwise: number): number => reader.duration(key) ?? otherwise;
  const processCount = reader.count('processCount', 1) ?? defaults.processCount;
  const maxProcessCount = reader.count('maxProcessCount', 1) ?? defaults.maxProcessCount;
  if (processCount > maxProcessCount) {
    reader.fail('processCount', processCount, `no more than maxProcessCount, which is ${maxProcessCount}`);
  }
  return {
    processCount,
    maxProcessCount,
    processStartupIntervalMs: duration('processStartupInterval', defaults.processStartupIntervalMs),
    processStartupTimeoutMs: duration('processStartupTimeout', defaults.processStartupTimeoutMs),
    initializationTimeoutMs: duration('initializationTimeout', defaults.initializationTimeoutMs),
    environmentReloadTimeoutMs: duration('environmentReloadTimeout', defaults.environmentReloadTimeoutMs),
    processRestartIntervalMs: duration('processRestartInterval', defaults.processRestartIntervalMs),
    processShutdownTimeoutMs: duration('processShutdownTimeout', defaults.processShutdownTimeoutMs),
    setProcessCountToNumberOfCpuCores: reader.flag('setProcessCountToNumberOfCpuCores') ?? false,
  };
}
