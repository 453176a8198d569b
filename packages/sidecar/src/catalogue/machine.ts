/** The machine that workers run on, in the words of worker.config.json. */
export interface Machine {
  readonly operatingSystem: 'LINUX' | 'OSX' | 'WINDOWS';
  readonly architecture: 'X64' | 'X86' | 'Arm64' | 'Arm';
  /** The Functions host version that we stand for; profiles may ask for it. */
  readonly hostVersion: string;
  /** How many processors workers may count on. */
  readonly processors: number;
}

const operatingSystems: ReadonlyMap<string, Machine['operatingSystem']> = new Map([
  ['darwin', 'OSX'],
  ['win32', 'WINDOWS'],
]);

const architectures: ReadonlyMap<string, Machine['architecture']> = new Map([
  ['ia32', 'X86'],
  ['arm64', 'Arm64'],
  ['arm', 'Arm'],
]);

/** Translates Node's names. Whatever is not known counts as Linux on x64, the platform that workers are built for. */
export function describeMachine(facts: {
  readonly platform: string;
  readonly architecture: string;
  readonly hostVersion: string;
  readonly processors: number;
}): Machine {
  return {
    operatingSystem: operatingSystems.get(facts.platform) ?? 'LINUX',
    architecture: architectures.get(facts.architecture) ?? 'X64',
    hostVersion: facts.hostVersion,
    processors: Math.max(1, facts.processors),
  };
}
