/** Milliseconds in each unit of a `grpc-timeout` header. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1_000],
  ['m', 1],
  ['u', 0.001],
  ['n', 0.000_001],
]);

/** The header has room for eight digits. */
const largestValue = 99_999_999;

/** The milliseconds that a `grpc-timeout` header names, or undefined when it is malformed. */
export function parseGrpcTimeout(value: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  const unit = unitMs.get(match?.[2] ?? '');
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** The header for a timeout, rounded up, in the finest unit that has room. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const wanted = Math.max(0, timeoutMs);
  for (const unit of ['m', 'S', 'M']) {
    const value = Math.ceil(wanted / (unitMs.get(unit) ?? 1));
    if (value <= largestValue) return `${value}${unit}`;
  }
  return `${Math.min(largestValue, Math.ceil(wanted / 3_600_000))}H`;
}
