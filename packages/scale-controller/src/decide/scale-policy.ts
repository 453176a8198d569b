/** How far an app may scale, and when: what its owner says, and what the platform allows. */
export interface ScalePolicy {
  /** Workers that are kept also when nothing happens. */
  readonly alwaysReady: number;
  /** Workers that are kept while the app is active. */
  readonly minimum: number;
  readonly maximum: number;
  /** Invocations that one worker should run at once, for functions that name no target of their own. */
  readonly targetConcurrency: number;
  /** The same for single functions, by name in lower case. */
  readonly functionTargets: ReadonlyMap<string, number>;
  /** A worker that uses more of its processors than this share has too much to do: 0 to 1. */
  readonly targetCpuShare: number;
  /** So long must little have happened before workers are given back. */
  readonly stabilizationMs: number;
  /** After so long without any invocation only `alwaysReady` workers are left. */
  readonly idleMs: number;
  /** Workers that the app's tenant has left for it, those that it has included; undefined for no quota. */
  readonly tenantAllowance: number | undefined;
}

/** What an app gets whose owner says nothing. */
export const defaultScalePolicy: ScalePolicy = {
  alwaysReady: 0,
  minimum: 0,
  maximum: 10,
  targetConcurrency: 10,
  functionTargets: new Map(),
  targetCpuShare: 0.7,
  stabilizationMs: 300_000,
  idleMs: 300_000,
  tenantAllowance: undefined,
};

/** The thresholds of the rules. Shares are parts of 1. */
export interface ScaleTuning {
  /** More invocations than this share of its target are too much for a worker. */
  readonly highShare: number;
  /** Less than this is too little, for invocations and for processors. */
  readonly lowShare: number;
  /** Events fewer than this share of what the workers can do are few. */
  readonly lowRateShare: number;
  /** A message may wait so long. */
  readonly oldestMessageMs: number;
  /** Demand of so many times what is there is a burst, which is answered at once. */
  readonly burstFactor: number;
  /** After a burst nothing is given back for so long. */
  readonly panicMs: number;
  /** The time constant by which demand is smoothed between bursts. */
  readonly smoothingMs: number;
  /** Rules that add one worker after the other wait so long to see what the last one brought. */
  readonly settleMs: number;
  /** So many failed starts in a row make more starts pointless. */
  readonly failingStarts: number;
}

export const defaultScaleTuning: ScaleTuning = {
  highShare: 0.7,
  lowShare: 0.2,
  lowRateShare: 0.1,
  oldestMessageMs: 30_000,
  burstFactor: 2,
  panicMs: 60_000,
  smoothingMs: 10_000,
  settleMs: 10_000,
  failingStarts: 3,
};

/** The target of a function, whatever the case of its name. */
export function targetOf({ functionTargets, targetConcurrency }: ScalePolicy, functionName: string): number {
  if (functionTargets.size === 0) return targetConcurrency;
  return functionTargets.get(functionName.toLowerCase()) ?? targetConcurrency;
}
