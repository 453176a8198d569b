import type { ApplicationDefinition } from '@switchyard/model';
import {
  type Link,
  type RpcFunctionMetadata,
  StreamingMessage,
  toContextProperties,
  WorkerConnect,
} from '@switchyard/protocol';
import { sampleDefinition } from './sample-worker.ts';

export interface SidecarClaims {
  readonly workerId: string;
  readonly functions: readonly RpcFunctionMetadata[];
  readonly application?: ApplicationDefinition;
  readonly tenantId?: string;
  readonly epoch?: number;
  readonly isPlaceholder?: boolean;
  readonly useDefaultIndexing?: boolean;
}

/** The link of a worker, on which a sidecar's WorkerConnect takes the place of the worker's StartStream. */
export function behindSidecar(link: Link, claims: SidecarClaims): Link {
  let isFirst = true;
  return {
    peer: link.peer,
    metadata: link.metadata,
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    closed: link.closed,
    send(frame) {
      const sent = isFirst ? toFrame(claims) : frame;
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

function toFrame({ workerId, functions, application = sampleDefinition, ...claims }: SidecarClaims): Uint8Array {
  const customProperties = toContextProperties({
    workerId,
    language: 'fake',
    languageVersion: '1',
    instanceId: 'machine-1',
    application: claims.isPlaceholder === true ? undefined : application,
    tenantId: claims.tenantId ?? 'default',
    epoch: claims.epoch ?? 1,
  });
  const metadata = { runtimeName: 'fake', runtimeVersion: '1', workerVersion: '1', workerBitness: 'x64' };
  const value: WorkerConnect = {
    ...WorkerConnect.decode(new Uint8Array()),
    ...application,
    workerId,
    workerCapabilities: new Map([['HandlesWorkerTerminateMessage', 'true']]),
    workerMetadata: { ...metadata, customProperties },
    functionMetadata: [...functions],
    useDefaultMetadataIndexing: claims.useDefaultIndexing ?? false,
  };
  return StreamingMessage.encode({ requestId: '', content: { $case: 'workerConnect', value } }).finish();
}
