/**
 * How the scale controller gets pods: a provider starts placeholders, and each pod takes at most one app in its life.
 * First the pod host of the same process, later node agents and Kubernetes.
 */
import type { Secret } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type { Assignment, AssignOutcome } from './assignment.ts';
import type { WorkerUsage } from './worker-usage.ts';

export interface PodProvider {
  /** Starts a placeholder. Never throws: a pod that cannot be started ends with the reason. */
  startPod(stack: Stack): Pod;
  /**
   * What the worker of a pod uses, as far as it is known and not too old. Left out by the provider of this machine: whoever
   * composes it knows the processes.
   */
  usageOf?(workerId: string): WorkerUsage | undefined;
}

/** A sidecar with its worker. */
export interface Pod {
  /** The id that its worker has for life, as placeholder and afterwards. */
  readonly workerId: string;
  readonly stack: Stack;
  /** Resolves when the placeholder is warm; rejects with a PlatformError when it never will be. */
  readonly warm: Promise<void>;
  /** Resolves when nothing of the pod is left. Never rejects. */
  readonly ended: Promise<PodEnd>;
  assign(assignment: Assignment): Promise<AssignOutcome>;
  /** Ends the pod: asks the worker to end, and kills what is left after `graceMs`. Harmless when it has ended. */
  stop(graceMs: number): void;
}

/** How a pod ended. */
export interface PodEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines of stderr, oldest first. */
  readonly stderrTail: readonly string[];
  /** Why its sidecar gave up, when it did. */
  readonly error: Error | undefined;
}

/** Where assignments come from: `dev` makes them from the app's folder, the catalog from what was deployed. */
export interface AssignmentSource {
  /** `runtimeId` names the Runtime that asked, where several share the supply. */
  assignmentOf(application: ApplicationDefinition, runtimeId?: string): Promise<StackAssignment>;
  /** What the sidecar of this worker shows to the Runtime; left out where nothing is asked for. */
  tokenOf?(assignment: StackAssignment, workerId: string): Promise<Secret>;
}

/** An assignment, and the stack that can run it. */
export interface StackAssignment {
  readonly stack: Stack;
  readonly assignment: Assignment;
}
