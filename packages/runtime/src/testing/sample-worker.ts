import { InvocationResponse, StatusResult_Status, StreamingMessage } from '@switchyard/protocol';
import type { Call, CallResult } from '../worker-registry/call.ts';
import { parseCapabilities } from '../worker-registry/capabilities.ts';
import { Worker } from '../worker-registry/worker.ts';
import { FakeChannel } from './fake-channel.ts';

export const sampleDefinition = { applicationId: 'sample', metadataVersion: '1', codeVersion: '1' } as const;

export interface SampleWorkerOptions {
  readonly workerId?: string;
  readonly inFlightCapacity?: number;
  /** Advertised capabilities, all "true". */
  readonly capabilities?: readonly string[];
}

/** A worker that is connected and Ready. */
export function createReadyWorker(options: SampleWorkerOptions = {}): { worker: Worker; channel: FakeChannel } {
  const worker = new Worker(options.workerId ?? 'w1', sampleDefinition, {
    inFlightCapacity: options.inFlightCapacity ?? 100,
    stderrLines: 5,
    onTransition: () => {},
  });
  const channel = new FakeChannel();
  worker.connect(channel);
  const capabilities = parseCapabilities(new Map((options.capabilities ?? []).map((name) => [name, 'true'])));
  worker.describe({ capabilities, metadata: undefined });
  worker.transition({ kind: 'loading' });
  worker.transition({ kind: 'ready' });
  return { worker, channel };
}

/** A call that remembers how it was settled. */
export class SampleCall implements Call {
  readonly invocationId: string;
  readonly functionId = 'id-Hello';
  readonly functionName = 'Hello';
  readonly partitionKey: string | undefined;
  sentAtMs = 0;
  readonly results: CallResult[] = [];

  constructor(invocationId: string, partitionKey?: string) {
    this.invocationId = invocationId;
    this.partitionKey = partitionKey;
  }

  encode(): Uint8Array {
    const value = {
      invocationId: this.invocationId,
      functionId: this.functionId,
      inputData: [],
      triggerMetadata: new Map(),
      traceContext: undefined,
      retryContext: undefined,
    };
    return StreamingMessage.encode({ requestId: '', content: { $case: 'invocationRequest', value } }).finish();
  }

  settle(result: CallResult): void {
    this.results.push(result);
  }
}

/** The answer of a function that ran well. */
export function sampleAnswer(invocationId: string): InvocationResponse {
  return {
    ...InvocationResponse.decode(new Uint8Array()),
    invocationId,
    result: { status: StatusResult_Status.Success, result: '', exception: undefined, logs: [] },
  };
}
