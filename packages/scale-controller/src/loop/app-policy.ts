import { defaultScalePolicy, type ScalePolicy } from '../decide/scale-policy.ts';
import type { ObservedVersion } from './scaled-runtime.ts';

/** What the owner of an app has said of its scale; what is left out holds by default. */
export interface AppScale {
  readonly alwaysReady?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly targetConcurrency?: number;
  /** Targets of single functions, by name. */
  readonly functionTargets?: Readonly<Record<string, number>>;
  /** How much of its processors a worker should use at most, in percent. */
  readonly targetCpuPercent?: number;
  /** The most invocations that one worker runs at once. */
  readonly perWorkerLimit?: number;
  readonly stabilizationSeconds?: number;
  /** Further decisions wait: the workers stay as they are, but for failures. */
  readonly paused?: boolean;
  /** The region whose Runtimes may host it; any when left out. */
  readonly region?: string;
  /** `dedicated`: no other tenant's app may be on its Runtimes. */
  readonly isolation?: 'shared' | 'dedicated';
}

/** What the platform allows. */
export interface PlatformScale {
  /** For apps that say nothing of their own. */
  readonly defaultMaximum: number;
  /** Nobody gets more in one Runtime. */
  readonly workersPerRuntime: number;
  /** Over how many Runtimes an app may be spread; 1 when left out. */
  readonly runtimes?: number;
}

export const defaultPlatformScale: PlatformScale = { defaultMaximum: 10, workersPerRuntime: 20 };

/** How a version of an app may scale: what its owner says wins over host.json, and the platform's limit over both. */
export function policyOf(
  scale: AppScale,
  version: Pick<ObservedVersion, 'weight' | 'workerModel' | 'idleMs' | 'standingCount'>,
  platform: PlatformScale,
  tenantAllowance: number | undefined,
): ScalePolicy {
  const { workerModel } = version;
  // One that is locked to its Runtime has that one's workers alone.
  const runtimes = workerModel?.workerAffinityMode === 'strict' ? 1 : (platform.runtimes ?? 1);
  const perRuntime = Math.min(
    workerModel?.maxWorkersPerRuntime ?? platform.workersPerRuntime,
    platform.workersPerRuntime,
  );
  const modelled = workerModel && workerModel.maxWorkersPerRuntime * runtimes;
  const wished = scale.maximum ?? modelled ?? platform.defaultMaximum;
  const maximum = Math.min(wished, (runtimes > 1 ? perRuntime : platform.workersPerRuntime) * runtimes);
  // A version without traffic keeps nothing: it serves those that are sent to it, as long as they come.
  const hasTraffic = version.weight > 0;
  const minimum = scale.minimum ?? workerModel?.minWorkersPerRuntime ?? defaultScalePolicy.minimum;
  return {
    alwaysReady: hasTraffic ? Math.min(maximum, scale.alwaysReady ?? version.standingCount) : 0,
    minimum: hasTraffic ? Math.min(maximum, minimum) : 0,
    maximum,
    targetConcurrency: scale.targetConcurrency ?? scale.perWorkerLimit ?? defaultScalePolicy.targetConcurrency,
    functionTargets: new Map(
      Object.entries(scale.functionTargets ?? {}).map(([name, target]) => [name.toLowerCase(), target]),
    ),
    targetCpuShare:
      scale.targetCpuPercent === undefined ? defaultScalePolicy.targetCpuShare : scale.targetCpuPercent / 100,
    stabilizationMs:
      scale.stabilizationSeconds === undefined
        ? defaultScalePolicy.stabilizationMs
        : scale.stabilizationSeconds * 1_000,
    idleMs: version.idleMs ?? Number.POSITIVE_INFINITY,
    tenantAllowance,
  };
}

type PolicyArguments = Parameters<typeof policyOf>;

/** Makes a policy anew only when something that it is made of has changed. */
export class PolicyMemo {
  #made: { readonly from: PolicyArguments; readonly policy: ScalePolicy } | undefined;

  of(...from: PolicyArguments): ScalePolicy {
    const made = this.#made;
    if (made !== undefined && isSame(made.from, from)) return made.policy;
    const policy = policyOf(...from);
    this.#made = { from, policy };
    return policy;
  }
}

function isSame([scale, version, platform, left]: PolicyArguments, other: PolicyArguments): boolean {
  const [otherScale, otherVersion, otherPlatform, otherLeft] = other;
  return (
    scale === otherScale &&
    platform === otherPlatform &&
    left === otherLeft &&
    version.weight === otherVersion.weight &&
    version.workerModel === otherVersion.workerModel &&
    version.idleMs === otherVersion.idleMs &&
    version.standingCount === otherVersion.standingCount
  );
}
