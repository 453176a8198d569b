/** The states of a sidecar, with what belongs to each. */
import type { Edges, PlatformError } from '@switchyard/kernel';
import type { Assignment, AssignOutcome } from '@switchyard/protocol';
import { sidecarErrors } from './errors.ts';
import type { LocalWorker } from './local-worker.ts';
import type { Relay } from './relay.ts';
import type { IndexOutcome, RuntimeAttachment, SidecarStateKind, SidecarStatus } from './sidecar-contract.ts';
import type { SpecializedWorker, WorkerDescription } from './specialize.ts';

/** An app, and what becomes of its assignment. */
export interface Task {
  readonly assignment: Assignment;
  readonly outcome: Promise<AssignOutcome>;
}

/** An app that is being indexed. */
export interface Indexing {
  readonly assignment: Assignment;
  readonly outcome: Promise<IndexOutcome>;
}

interface Serving {
  readonly worker: LocalWorker;
  readonly task: Task;
  readonly app: SpecializedWorker;
}

export interface Warm {
  readonly kind: 'warm';
  readonly worker: LocalWorker;
  readonly placeholder: WorkerDescription;
  /** The app that the worker was reloaded with already, to be indexed. */
  readonly prepared?: SpecializedWorker;
}

export type SidecarState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'warming'; readonly worker: LocalWorker }
  | Warm
  | { readonly kind: 'specializing'; readonly worker: LocalWorker; readonly task: Task }
  | { readonly kind: 'specializing'; readonly worker: LocalWorker; readonly indexing: Indexing }
  | ({ readonly kind: 'connecting' } & Serving)
  | ({ readonly kind: 'relaying'; readonly relay: Relay } & Serving)
  | { readonly kind: 'draining'; readonly worker: LocalWorker | undefined }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: PlatformError };

/** The pod machine: which state may follow which. */
export const sidecarEdges: Edges<SidecarStateKind> = {
  starting: ['warming', 'draining', 'failed'],
  warming: ['warm', 'draining', 'failed'],
  warm: ['warming', 'specializing', 'draining', 'failed'],
  specializing: ['warm', 'connecting', 'draining', 'failed'],
  connecting: ['relaying', 'draining', 'failed'],
  relaying: ['connecting', 'draining', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** The app that the sidecar is about, in whatever state. */
export function assignmentOf(state: SidecarState): Assignment | undefined {
  if ('task' in state) return state.task.assignment;
  if ('indexing' in state) return state.indexing.assignment;
  return 'prepared' in state ? state.prepared?.assignment : undefined;
}

/** The app that the worker is for, and its Runtime; without an app the one that it hangs on. */
export function appOf(
  state: SidecarState,
  attachTo: RuntimeAttachment | undefined,
): Pick<SidecarStatus, 'application' | 'tenantId' | 'runtimeEndpoint'> {
  const assignment = assignmentOf(state);
  const { application, tenantId, runtimeEndpoint = attachTo?.endpoint } = assignment ?? {};
  return { application, tenantId, runtimeEndpoint };
}

/** Why a sidecar in this state does not take the app. */
export function refusalOf(
  state: SidecarState,
  workerId: string,
  { application: { applicationId } }: Assignment,
): PlatformError {
  const details = { workerId, applicationId, state: state.kind };
  if (assignmentOf(state) !== undefined) {
    const isBusyIndexing = 'indexing' in state && assignmentOf(state)?.application.applicationId === applicationId;
    return sidecarErrors.create(isBusyIndexing ? 'SIDECAR_NOT_WARM' : 'SIDECAR_ASSIGNED', details);
  }
  const isEarly = state.kind === 'starting' || state.kind === 'warming';
  return sidecarErrors.create(isEarly ? 'SIDECAR_NOT_WARM' : 'SIDECAR_ENDED', details);
}

/** Lines that did not get past the worker of this state. */
export function droppedBy(state: SidecarState): number {
  return 'worker' in state ? (state.worker?.dropped ?? 0) : 0;
}
