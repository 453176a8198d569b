/** The states of a deployment and the one function that moves it from one to the next. */
import { type Edges, invariant } from '@switchyard/kernel';
import type { RollOutState, RuntimeDeployment, TrafficShare } from '@switchyard/protocol/control-api';

export const rollOutEdges: Edges<RollOutState> = {
  requested: ['provisioning', 'rolling-out', 'failed'],
  provisioning: ['configuring', 'failed'],
  configuring: ['rolling-out', 'failed'],
  // Traffic that was shared by hand has no gate.
  'rolling-out': ['health-gating', 'rolling-back', 'completed', 'failed'],
  'health-gating': ['rolling-out', 'promoting', 'rolling-back', 'failed'],
  promoting: ['completed', 'rolling-back', 'failed'],
  'rolling-back': ['rolled-back', 'failed'],
  completed: [],
  'rolled-back': [],
  // A dead letter that is replayed tries again.
  failed: ['requested'],
};

export const finalStates: ReadonlySet<RollOutState> = new Set(['completed', 'rolled-back', 'failed']);

export interface Transition {
  readonly to: RollOutState;
  /** What was done: the key of the step, next to the deployment's id. */
  readonly step: string;
  readonly nowMs: number;
  readonly message?: string;
  readonly reason?: string;
  /** Of the error behind the reason. */
  readonly code?: string;
  readonly stage?: number;
  readonly previousVersion?: string;
  readonly previousShares?: readonly TrafficShare[];
}

/** Steps that are remembered of one deployment. */
const maxSteps = 200;

/** The deployment after a step. Throws for an edge that there is not. */
export function advance(deployment: RuntimeDeployment, transition: Transition): RuntimeDeployment {
  const { to, step, nowMs, message, reason, code, stage, previousVersion, previousShares } = transition;
  invariant(rollOutEdges[deployment.state].includes(to), `no edge from ${deployment.state} to ${to}`);
  const isMoved = stage !== undefined && stage !== deployment.stage.index;
  const attempt = deployment.steps.filter(({ name }) => name === step).length + 1;
  const done = {
    name: step,
    at: nowMs,
    attempt,
    ...(message === undefined ? {} : { message: message.slice(0, 1_000) }),
  };
  return {
    ...deployment,
    state: to,
    stage:
      isMoved || to === 'health-gating' ? { index: stage ?? deployment.stage.index, since: nowMs } : deployment.stage,
    steps: [...deployment.steps, done].slice(-maxSteps),
    attempts: 0,
    ...(reason === undefined ? {} : { reason: reason.slice(0, 1_000) }),
    ...(code === undefined ? {} : { code }),
    ...(previousVersion === undefined ? {} : { previousVersion }),
    ...(previousShares === undefined ? {} : { previousShares: [...previousShares] }),
    ...(finalStates.has(to) ? { finishedAt: nowMs } : {}),
  };
}
