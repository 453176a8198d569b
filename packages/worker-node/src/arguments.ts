import { parseWorkerArguments } from '@switchyard/protocol';
import { workerErrors } from './errors.ts';

/** What the host says on the command line. */
export interface WorkerArguments {
  /** `http://host:port`. */
  readonly endpoint: string;
  readonly workerId: string;
  /** The id under which the worker introduces itself. */
  readonly requestId: string;
  readonly maxMessageBytes: number;
}

/** What a gRPC message may hold at most. */
const largestMessageBytes = 2 ** 31 - 1;

/** Reads what hosts pass, in either form. Throws WORKER_ARGUMENT_MISSING or WORKER_ARGUMENT_INVALID. */
export function parseArguments(argv: readonly string[]): WorkerArguments {
  const outcome = parseWorkerArguments(argv);
  switch (outcome.kind) {
    case 'parsed': {
      const { maxMessageBytes = largestMessageBytes } = outcome.arguments;
      return { ...outcome.arguments, maxMessageBytes: Math.min(maxMessageBytes, largestMessageBytes) };
    }
    case 'missing':
      throw workerErrors.create('WORKER_ARGUMENT_MISSING', { names: outcome.names.join(', ') });
    case 'invalid':
      throw workerErrors.create('WORKER_ARGUMENT_INVALID', { ...outcome });
  }
}
