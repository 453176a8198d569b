/** The service `Settlement` of one Runtime: what its functions have in hand of Service Bus, and who may settle it. */
import { createWorkerCallVerifier } from '@switchyard/identity';
import { grpcStatus, type RpcMethod, type RuntimeCall, type UnaryReply } from '@switchyard/protocol';
import {
  type AdmitSettlement,
  createSettlementAnswers,
  createSettlementMethods,
  readAmqpMap,
  Settlements,
} from '@switchyard/triggers';

export interface RuntimeSettlements {
  /** Where the listeners of the Runtime put what they hand out. */
  readonly settlements: Settlements;
  /** For the port that workers and sidecars of other processes connect to. */
  readonly methods: Readonly<Record<string, RpcMethod>>;
  /** Answers a worker of this app, whose sidecar lives in this process. */
  answer(applicationId: string, call: Pick<RuntimeCall, 'path' | 'request'>): Promise<UnaryReply>;
}

/** `admit` says who a caller of the port is. */
export function createRuntimeSettlements(admit: AdmitSettlement): RuntimeSettlements {
  const settlements = new Settlements();
  const answers = createSettlementAnswers(settlements, readAmqpMap);
  return {
    settlements,
    methods: createSettlementMethods(answers, admit),
    async answer(applicationId, { path, request }) {
      const answer = answers.get(path);
      if (answer === undefined) return { code: grpcStatus.unimplemented, message: `a Runtime has no method ${path}` };
      return await answer({ kind: 'app', applicationId }, request);
    },
  };
}

/** A worker may settle what functions of its own app have in hand, and shows by its token which app that is. */
export function admitByToken(...verifier: Parameters<typeof createWorkerCallVerifier>): AdmitSettlement {
  const verify = createWorkerCallVerifier(...verifier);
  return async (metadata) => {
    const verdict = await verify(metadata);
    if (verdict.kind === 'refused') return verdict;
    return { kind: 'app', applicationId: verdict.grant.application.applicationId };
  };
}

/** Where one person runs all the apps, or no tokens are checked, whoever reaches the port may settle everything. */
export const admitEverybody: AdmitSettlement = async () => ({ kind: 'all' });
