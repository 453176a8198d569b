/** What the compute target "switchyard" asks of the platform that it runs in; `switchyard up` implements it. */
import type { Catalog, DeploymentRecord } from '@switchyard/control-plane';
import type { ServiceLimits } from '@switchyard/protocol/control-api';
import type { JobHostStatus } from '@switchyard/runtime';

export interface SwitchyardPlatform {
  readonly catalog: Catalog;
  /** Begins to deploy a stored package: `Deployer.deploy`. */
  deploy(record: DeploymentRecord): void;
  /** Brings the Runtime to what the catalog wants of an app; resolves when it was tried: `AppHosting.look`. */
  look(applicationId: string): Promise<void>;
  /** Why an app is not what the catalog wants: `AppHosting.errorOf`. */
  errorOf(applicationId: string): string | undefined;
  /** The version of an app that has its traffic, with the settings that its workers have; undefined when none is hosted. */
  servingOf(applicationId: string): RunningVersion | undefined;
  /** What the Runtime hosts, of all apps or of one: `Runtime.status`. */
  status(applicationId?: string): readonly JobHostStatus[];
  /** Starts the processes of an app's workers anew, one after the other: `Runtime.restartWorker`. */
  restartWorkers(applicationId: string): Promise<void>;
  /** Where an app answers. */
  urlOf(applicationId: string): string;
  readonly limits: AppLimits;
}

/** Its definition tells it from every other version that is hosted. */
export interface RunningVersion {
  readonly definition: object;
  readonly values: ReadonlyMap<string, string>;
}

/** Within which the app's own scaling works. */
export interface AppLimits {
  get(applicationId: string): Promise<Partial<ServiceLimits>>;
  set(applicationId: string, limits: ServiceLimits): Promise<void>;
}
