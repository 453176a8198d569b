import type { FunctionMetadataResponse } from '@switchyard/protocol';
import type { RuntimeLimits } from '../limits.ts';
import type { FunctionOffer, HandshakePlan, IndexParticipant } from '../worker-stream/handshake.ts';
import type { IndexGate } from './index-gate.ts';
import type { ResolvedApplication } from './resolve-application.ts';

export interface PlanOptions {
  readonly application: ResolvedApplication;
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
  hostVersion,
  limits,
  gate,
  indexed,
  offered,
}: PlanOptions): HandshakePlan {
  const { scriptRoot, worker, host } = application;
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
    join: (participant) => gate.join(participant),
    leave: (participant) => gate.leave(participant),
    indexed,
    offered,
  };
}
