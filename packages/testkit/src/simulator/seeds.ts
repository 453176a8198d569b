/** Which seeds a run tries, and how one that failed says so. */

/** The environment variable that replays single seeds. */
export const seedVariable = 'SWITCHYARD_SEED';

/** Lines of the event log that a failure shows. */
const tailLines = 60;

/** `count` seeds from 1 on; with SWITCHYARD_SEED set, that seed alone. Throws when it is no whole number. */
export function chooseSeeds(
  environment: Readonly<Record<string, string | undefined>>,
  count: number,
): readonly number[] {
  const wanted = environment[seedVariable];
  if (wanted === undefined || wanted === '') return Array.from({ length: count }, (_, index) => index + 1);
  if (!/^\d{1,9}$/.test(wanted)) {
    throw new RangeError(`${seedVariable} is '${wanted}', which is no seed: name a whole number from 0 to 999999999.`);
  }
  return [Number(wanted)];
}

export interface SeedRun {
  readonly seed: number;
  /** What went against the rules; empty when the seed passed. */
  readonly violations: readonly string[];
  readonly events: readonly string[];
}

/** A failed seed for people: what was violated, how it came to that, and how to see it again. */
export function describeFailedSeed(run: SeedRun, testFile: string): string {
  return [
    `Seed ${run.seed} failed:`,
    ...run.violations.map((violation) => `  - ${violation}`),
    `The end of its event log (${run.events.length} lines):`,
    ...run.events.slice(-tailLines),
    `Replay it: ${seedVariable}=${run.seed} node node_modules/vitest/vitest.mjs run ${testFile}`,
  ].join('\n');
}
