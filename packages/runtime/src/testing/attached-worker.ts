import type { ApplicationDefinition } from '@switchyard/model';
import {
  contextProperty,
  type Link,
  StreamingMessage,
  toContextProperties,
  tokenVariable,
  type WorkerSpecialized,
} from '@switchyard/protocol';
import { sampleDefinition } from './sample-worker.ts';

export interface AttachedClaims {
  readonly workerId: string;
  readonly epoch?: number;
  readonly language?: string;
  /** The app that the worker is of from its start. */
  readonly application?: ApplicationDefinition;
  readonly tenantId?: string;
  /** False for a worker of an app whose sidecar sends no WorkerSpecialized. */
  readonly announces?: boolean;
}

/** The link of a worker whose sidecar says in StartStream who it is. */
export function attached(link: Link, claims: AttachedClaims): Link {
  let isFirst = true;
  return {
    peer: link.peer,
    metadata: link.metadata,
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    closed: link.closed,
    send(frame) {
      const sent = isFirst ? toStartStream(claims) : frame;
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

function toStartStream({ workerId, application, ...claims }: AttachedClaims): Uint8Array {
  const properties = toContextProperties({
    workerId,
    language: claims.language ?? 'fake',
    languageVersion: '1',
    instanceId: 'machine-1',
    application,
    tenantId: claims.tenantId ?? '',
    epoch: claims.epoch ?? 1,
  });
  if (application !== undefined && claims.announces !== false) properties.set(contextProperty.announcesApp, 'true');
  return StreamingMessage.encode({
    requestId: '',
    content: { $case: 'startStream', value: { workerId, properties } },
  }).finish();
}

/** The message that makes a placeholder the worker of the sample app. */
export function specialized(more: Partial<WorkerSpecialized> & { readonly token?: string } = {}): WorkerSpecialized {
  const { token, ...fields } = more;
  const appSettings = new Map([
    ['GREETING', 'hello'],
    ...(token === undefined ? [] : [[tokenVariable, token] as const]),
  ]);
  return {
    ...sampleDefinition,
    appSettings,
    connectionStrings: new Map(),
    functionsPath: '/app',
    workerId: 'w1',
    language: 'fake',
    languageVersion: '1',
    correlationId: 'c-1',
    ...fields,
  };
}
