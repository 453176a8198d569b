import type { LoadedApplication } from './load-application.ts';

/** The apps as their folders describe them now: whatever follows a reload looks here. */
export interface CurrentApplications {
  /** In the order of the start. Another array after every change. */
  readonly all: readonly LoadedApplication[];
  /** Takes the place of the app with the same id. */
  replace(application: LoadedApplication): void;
}

export function createCurrentApplications(applications: readonly LoadedApplication[]): CurrentApplications {
  let all = applications;
  return {
    get all() {
      return all;
    },
    replace(application) {
      all = all.map((one) => (one.applicationId === application.applicationId ? application : one));
    },
  };
}
