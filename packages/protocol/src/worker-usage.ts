/** What a worker uses of its machine, as a sidecar tells it in `data.usage` of `GET /health`, and a wrapper in `GET /status`. */

/** Counters are since the start of whoever measures, so only the difference of two readings of the same one says something. */
export interface WorkerUsage {
  /** When it was read, in milliseconds of the reader's own monotonic clock. */
  readonly atMs: number;
  /** Processor time so far, in milliseconds. */
  readonly cpuMs: number;
  /** What would have to be freed to give all memory back: caches of files are not in it. */
  readonly memoryBytes: number;
  /** How many processors the worker can use at once. */
  readonly cpuLimit: number;
}

export function toUsageJson({ atMs, cpuMs, memoryBytes, cpuLimit }: WorkerUsage): Readonly<Record<string, number>> {
  return { at_ms: atMs, cpu_ms: cpuMs, memory_bytes: memoryBytes, cpu_limit: cpuLimit };
}

/** Reads what `toUsageJson` wrote; undefined for anything else. */
export function parseUsage(given: unknown): WorkerUsage | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const fields = given as Readonly<Record<string, unknown>>;
  const [atMs, cpuMs, memoryBytes, cpuLimit] = ['at_ms', 'cpu_ms', 'memory_bytes', 'cpu_limit'].map(
    (name) => fields[name],
  );
  if (!isAmount(atMs) || !isAmount(cpuMs) || !isAmount(memoryBytes) || !isAmount(cpuLimit)) return undefined;
  return cpuLimit === 0 ? undefined : { atMs, cpuMs, memoryBytes, cpuLimit };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
