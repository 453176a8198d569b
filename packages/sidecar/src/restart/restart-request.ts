/** WorkerRestartRequest of a Runtime: what it asks of the wrapper, and the answer on the wire. */
import {
  type WorkerRestartRequest,
  type WorkerRestartResponse,
  WorkerRestartResponse_Status,
} from '@switchyard/protocol';
import type { LaunchChange, RestartOutcome } from '../wrapper/contract.ts';

/** Answers a request, once. The worker's end follows the answer, so that it still leaves on the worker's stream. */
export type RestartRequestHandler = (
  request: WorkerRestartRequest,
  reply: (response: WorkerRestartResponse) => void,
) => void;

/** The handler of a sidecar that reaches no wrapper. */
export const refuseRestarts: RestartRequestHandler = (_request, reply) => {
  const message = 'this worker has no wrapper that could start it again; its pod has to be replaced';
  reply({ status: WorkerRestartResponse_Status.REJECTED, message });
};

/** What the request wants changed. The wire cannot tell an empty field from one that is not there: both change nothing. */
export function toLaunchChange({ newConfiguration }: WorkerRestartRequest): LaunchChange {
  if (newConfiguration === undefined) return {};
  const { executablePath, arguments: words, workerPath } = newConfiguration;
  return {
    ...(executablePath === '' ? {} : { executable: executablePath }),
    ...(words.length === 0 ? {} : { arguments: words }),
    ...(workerPath === '' ? {} : { workerPath }),
  };
}

export function toRestartResponse(outcome: RestartOutcome): WorkerRestartResponse {
  switch (outcome.kind) {
    case 'accepted':
      return { status: WorkerRestartResponse_Status.ACCEPTED, message: '' };
    case 'in-progress':
      return { status: WorkerRestartResponse_Status.IN_PROGRESS, message: 'another restart is under way' };
    case 'rejected':
      return { status: WorkerRestartResponse_Status.REJECTED, message: outcome.reason };
  }
}
