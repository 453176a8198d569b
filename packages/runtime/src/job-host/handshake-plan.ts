import type { FunctionLoadRequest, FunctionMetadataResponse } from '@switchyard/protocol';
import type { RuntimeLimits } from '../limits.ts';
import type { FunctionOffer, HandshakePlan, IndexParticipant } from '../worker-stream/handshake.ts';
import type { IndexGate } from './index-gate.ts';
import type { ResolvedApplication } from './resolve-application.ts';

export interface PlanOptions {
  readonly application: ResolvedApplication;
  /** The folder of the version whose functions were indexed; this version's may be another. */
  readonly indexRoot: string;
  /** What the Runtime calls itself towards workers, in the numbering of the official host. */
  readonly hostVersion: string;
  readonly limits: RuntimeLimits;
  readonly gate: IndexGate;
  readonly indexed: (participant: IndexParticipant, response: FunctionMetadataResponse) => void;
  readonly offered: (participant: IndexParticipant, offer: FunctionOffer) => void;
}

/** What the official host advertises in WorkerInitRequest: workers may open several streams over one connection. */
const hostCapabilities = [['MultiStream', '10']] as const;

/** How the handshakes of an app's workers go. */
export function createHandshakePlan({
  application,
  indexRoot,
  hostVersion,
  limits,
  gate,
  indexed,
  offered,
}: PlanOptions): HandshakePlan {
  const { scriptRoot, worker, host } = application;
  const inPlace =
    scriptRoot === indexRoot ? (participant: IndexParticipant) => participant : rebase(indexRoot, scriptRoot);
  return {
    initRequest: {
      hostVersion,
      capabilities: new Map(hostCapabilities),
      logCategories: new Map(),
      workerDirectory: worker.workerDirectory,
      functionAppDirectory: scriptRoot,
    },
    initTimeoutMs: worker.initializationTimeoutMs,
    metadataTimeoutMs: limits.metadataMs,
    loadTimeoutMs: Math.max(limits.loadMs, host.functionTimeoutMs ?? 0),
    functionAppDirectory: scriptRoot,
    join: (participant) => gate.join(inPlace(participant)),
    leave: (participant) => gate.leave(inPlace(participant)),
    indexed: (participant, response) => indexed(inPlace(participant), response),
    offered: (participant, offer) => offered(inPlace(participant), offer),
  };
}

/** Workers of another code version load the same functions from that version's folder. */
function rebase(from: string, to: string): (participant: IndexParticipant) => IndexParticipant {
  const known = new WeakMap<IndexParticipant, IndexParticipant>();
  const moved = (place: string): string =>
    place === from || place.startsWith(`${from}/`) || place.startsWith(`${from}\\`)
      ? to + place.slice(from.length)
      : place;
  const toOwn = (request: FunctionLoadRequest): FunctionLoadRequest => {
    const { metadata } = request;
    if (metadata === undefined) return request;
    const { directory, scriptFile } = metadata;
    return { ...request, metadata: { ...metadata, directory: moved(directory), scriptFile: moved(scriptFile) } };
  };
  return (participant) => {
    const own = known.get(participant) ?? {
      workerId: participant.workerId,
      ask: () => participant.ask(),
      load: (requests) => participant.load(requests.map(toOwn)),
      fail: (error) => participant.fail(error),
    };
    known.set(participant, own);
    return own;
  };
}
