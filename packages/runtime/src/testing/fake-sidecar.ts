import {
  type Link,
  type MessageContent,
  StreamingMessage,
  toContextProperties,
  WorkerConnect,
} from '@switchyard/protocol';
import {
  createFakeWorker,
  type FakeFunction,
  type FakeWorker,
  type FakeWorkerOptions,
  toRpcFunctionMetadata,
} from '@switchyard/testkit';
import { sampleDefinition } from './sample-worker.ts';

export interface FakeSidecarOptions extends Partial<FakeWorkerOptions> {
  readonly workerId: string;
  readonly functions?: readonly FakeFunction[];
  readonly application?: typeof sampleDefinition | Record<keyof typeof sampleDefinition, string>;
  readonly tenantId?: string;
  readonly epoch?: number;
  readonly isPlaceholder?: boolean;
  readonly useDefaultIndexing?: boolean;
}

/** A specialized worker behind a sidecar that sends WorkerConnect in place of StartStream. */
export function createFakeSidecar(link: Link, options: FakeSidecarOptions): FakeWorker {
  const { functions = [{ name: 'f' }], application = sampleDefinition } = options;
  const properties = toContextProperties({
    workerId: options.workerId,
    language: 'fake',
    languageVersion: '1',
    instanceId: 'machine-1',
    application: options.isPlaceholder === true ? undefined : application,
    tenantId: options.tenantId ?? 'default',
    epoch: options.epoch ?? 1,
  });
  const value: WorkerConnect = {
    ...WorkerConnect.decode(new Uint8Array()),
    workerId: options.workerId,
    ...application,
    workerCapabilities: new Map([['HandlesWorkerTerminateMessage', 'true']]),
    workerMetadata: {
      runtimeName: 'fake',
      runtimeVersion: '1',
      workerVersion: '1',
      workerBitness: 'x64',
      customProperties: properties,
    },
    functionMetadata: functions.map(toRpcFunctionMetadata),
    useDefaultMetadataIndexing: options.useDefaultIndexing ?? false,
  };
  return createFakeWorker(introducing(link, { $case: 'workerConnect', value }), { ...options, functions });
}

/** The link, with another first message than the one that its owner sends. */
function introducing(link: Link, first: MessageContent): Link {
  let isFirst = true;
  return {
    peer: link.peer,
    metadata: link.metadata,
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    closed: link.closed,
    send(frame) {
      const sent = isFirst ? StreamingMessage.encode({ requestId: '', content: first }).finish() : frame;
      isFirst = false;
      return link.send(sent);
    },
    drained: () => link.drained(),
    receive: (receiver) => link.receive(receiver),
    pause: () => link.pause(),
    resume: () => link.resume(),
    end: (status) => link.end(status),
    cancel: (status) => link.cancel(status),
  };
}
