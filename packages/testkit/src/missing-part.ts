/** Whether a test can run on this machine. */
export interface PartCheck {
  /** True when the part is missing: hand it to `test.skipIf`. */
  readonly skip: boolean;
}

/** The surroundings of the check; tests of the check describe others. */
export interface PartSurroundings {
  /** True in continuous integration, where a missing part is a failure. */
  readonly ci: boolean;
  warn(message: string): void;
}

const thisRun: PartSurroundings = {
  ci: process.env.CI === 'true' || process.env.CI === '1',
  warn: (message) => process.stderr.write(`${message}\n`),
};

/**
 * For tests that need something which not every machine has. A missing part is a loud skip on somebody's machine, and
 * throws in continuous integration: there, everything must be present.
 *
 * @param name what is missing, for example `Node 20`
 * @param howToInstall a sentence that says how to get it
 */
export function requirePart(
  name: string,
  present: boolean,
  howToInstall: string,
  surroundings: PartSurroundings = thisRun,
): PartCheck {
  if (present) return { skip: false };
  const message = `Tests that need ${name} cannot run, because it is missing here. ${howToInstall}`;
  if (surroundings.ci) throw new Error(message);
  surroundings.warn(`SKIPPED: ${message}`);
  return { skip: true };
}

/** The same for a part that no package registry has: missing it is a loud skip everywhere, also in continuous integration. */
export function requireOptionalPart(
  name: string,
  present: boolean,
  howToInstall: string,
  { warn }: Pick<PartSurroundings, 'warn'> = thisRun,
): PartCheck {
  return requirePart(name, present, howToInstall, { ci: false, warn });
}
