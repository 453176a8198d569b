import type { PlaceholderGrant, WorkerGrant } from '@switchyard/identity';
import type { JobHostStatus, WorkerStatus } from '@switchyard/runtime';

/** The workers that a Runtime has. */
export interface RuntimeWorkers {
  readonly jobHosts: readonly JobHostStatus[];
  readonly placeholders: readonly WorkerStatus[];
}

/** A worker that was given up gets no new token; one whose connection was cut may come back. */
const unwanted: ReadonlySet<string> = new Set(['stopped', 'abandoned']);

/** True while the Runtime has the worker of this token, for the app that the token names. */
export function isWanted(grant: WorkerGrant | PlaceholderGrant, { jobHosts, placeholders }: RuntimeWorkers): boolean {
  const isThere = (workers: readonly WorkerStatus[]): boolean =>
    workers.some(({ workerId, state }) => workerId === grant.workerId && !unwanted.has(state));
  if (grant.kind === 'placeholder') return isThere(placeholders);
  const { applicationId, metadataVersion, codeVersion } = grant.application;
  const versions = jobHosts.flatMap((jobHost) => jobHost.versions);
  return versions.some(
    ({ definition, workers }) =>
      definition.applicationId === applicationId &&
      definition.metadataVersion === metadataVersion &&
      definition.codeVersion === codeVersion &&
      isThere(workers),
  );
}
