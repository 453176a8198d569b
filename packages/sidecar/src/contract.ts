/** What a pod host is given: how to start the worker of an app. */
import type { ApplicationDefinition } from '@switchyard/model';

/** The command line of a language worker. The pod host adds the connection arguments at the end. */
export interface WorkerLaunch {
  readonly executable: string;
  /** Arguments before the worker's path. */
  readonly arguments: readonly string[];
  /** Empty when the executable is the worker. */
  readonly workerPath: string;
  /** Arguments of the user, between the worker's path and the connection arguments. */
  readonly workerArguments: readonly string[];
  /** The working directory: the app's folder. */
  readonly directory: string;
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Where launches come from: `dev` reads them from the app's folder, later the catalog does. */
export interface LaunchSource {
  launchOf(application: ApplicationDefinition): Promise<WorkerLaunch>;
}
