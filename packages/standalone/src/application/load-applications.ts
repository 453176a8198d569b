import { isPlatformError } from '@switchyard/kernel';
import { standaloneErrors } from '../errors.ts';
import { type LoadedApplication, loadApplication } from './load-application.ts';

/** The apps that may run, and why the others may not. */
export interface LoadedApplications {
  readonly applications: readonly LoadedApplication[];
  readonly errors: readonly Error[];
}

/** Reads many apps at once. What is wrong with one keeps none of the others from running. */
export async function loadApplications(
  directories: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedApplications> {
  const settled = await Promise.allSettled(
    [...new Set(directories)].map((directory) => loadApplication(directory, environment)),
  );
  const errors: Error[] = [];
  const byId = new Map<string, LoadedApplication>();
  for (const result of settled) {
    if (result.status === 'rejected') {
      // Only what the user can mend is an expected outcome; the rest is a defect of ours.
      if (!isPlatformError(result.reason)) throw result.reason;
      errors.push(result.reason);
      continue;
    }
    const { applicationId, directory: path } = result.value;
    const other = byId.get(applicationId);
    if (other === undefined) byId.set(applicationId, result.value);
    else errors.push(standaloneErrors.create('APP_ID_TAKEN', { applicationId, path, other: other.directory }));
  }
  return { applications: [...byId.values()], errors };
}
