import { parseArgs } from 'node:util';
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

const text = { type: 'string' } as const;

/**
 * Reads both generations of arguments that hosts pass, the newer one first. Unknown ones are ignored. Throws
 * WORKER_ARGUMENT_MISSING or WORKER_ARGUMENT_INVALID.
 */
export function parseArguments(args: readonly string[]): WorkerArguments {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      'functions-uri': text,
      'functions-worker-id': text,
      'functions-request-id': text,
      'functions-grpc-max-message-length': text,
      host: text,
      port: text,
      workerId: text,
      requestId: text,
      grpcMaxMessageLength: text,
    },
  });
  const get = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const endpoint = get('functions-uri') ?? addressOf(get('host'), get('port'));
  const workerId = get('functions-worker-id') ?? get('workerId');
  const requestId = get('functions-request-id') ?? get('requestId');
  const length = get('functions-grpc-max-message-length') ?? get('grpcMaxMessageLength');
  if (!endpoint || !workerId || !requestId || !length) {
    const wanted = { uri: endpoint, 'worker-id': workerId, 'request-id': requestId, 'grpc-max-message-length': length };
    const missing = Object.entries(wanted).flatMap(([name, value]) => (value ? [] : [`--functions-${name}`]));
    throw workerErrors.create('WORKER_ARGUMENT_MISSING', { names: missing.join(', ') });
  }
  return {
    endpoint: parseEndpoint(endpoint),
    workerId,
    requestId,
    maxMessageBytes: parseLength(length),
  };
}

function addressOf(host: string | undefined, port: string | undefined): string | undefined {
  return host && port ? `http://${host}:${port}/` : undefined;
}

function parseEndpoint(value: string): string {
  if (URL.canParse(value)) {
    const { protocol, hostname, host } = new URL(value);
    if (protocol === 'http:' && hostname !== '') return `http://${host}`;
  }
  throw workerErrors.create('WORKER_ARGUMENT_INVALID', {
    name: '--functions-uri',
    value,
    expected: 'an address like http://127.0.0.1:50051/',
  });
}

function parseLength(value: string): number {
  const length = /^\d+$/.test(value) ? Number(value) : 0;
  if (length > 0) return Math.min(length, largestMessageBytes);
  throw workerErrors.create('WORKER_ARGUMENT_INVALID', {
    name: '--functions-grpc-max-message-length',
    value,
    expected: 'a positive number of bytes',
  });
}
