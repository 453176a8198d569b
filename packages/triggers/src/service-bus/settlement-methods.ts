/** The gRPC service `Settlement` of the official extension, for the server that workers connect to. */
import { isPlatformError, messageOf } from '@switchyard/kernel';
import {
  grpcStatus,
  type LinkStatus,
  type RpcMethod,
  settlementRpc as rpc,
  type SettlementCall,
  settlementPath,
  type Timestamp,
  type UnaryReply,
} from '@switchyard/protocol';
import type { AmqpMapReader } from './service-bus-client.ts';
import type { SettlementScope, Settlements } from './settlements.ts';

const nothing = new Uint8Array();

/** Answers one call of somebody with this scope. */
export type AnswerSettlement = (scope: SettlementScope, request: Uint8Array) => Promise<UnaryReply>;

/** Settles, or resolves with the bytes of an answer. */
type Settle = (scope: SettlementScope, request: Uint8Array) => Promise<unknown>;

/** Says whose messages a caller may touch, by the metadata of its call. */
export type AdmitSettlement = (
  metadata: ReadonlyMap<string, string>,
) => Promise<SettlementScope | { readonly kind: 'refused'; readonly status: LinkStatus }>;

/** The calls, found by their paths. `readMap` reads properties, which come in the binary form of AMQP. */
export function createSettlementAnswers(
  settlements: Settlements,
  readMap: AmqpMapReader,
): ReadonlyMap<string, AnswerSettlement> {
  const calls: Record<SettlementCall, Settle> = {
    Complete: (scope, request) =>
      settlements.settle(scope, rpc.CompleteRequest.decode(request).locktoken, { kind: 'complete' }),
    Abandon: async (scope, request) => {
      const { locktoken, propertiesToModify } = rpc.AbandonRequest.decode(request);
      const properties = await readMap(propertiesToModify);
      return settlements.settle(scope, locktoken, { kind: 'abandon', properties });
    },
    Defer: async (scope, request) => {
      const { locktoken, propertiesToModify } = rpc.DeferRequest.decode(request);
      return settlements.settle(scope, locktoken, { kind: 'defer', properties: await readMap(propertiesToModify) });
    },
    Deadletter: async (scope, request) => {
      const { locktoken, propertiesToModify, ...why } = rpc.DeadletterRequest.decode(request);
      return settlements.settle(scope, locktoken, {
        kind: 'deadLetter',
        reason: why.deadletterReason,
        description: why.deadletterErrorDescription,
        properties: await readMap(propertiesToModify),
      });
    },
    RenewMessageLock: (scope, request) =>
      settlements.renew(scope, rpc.RenewMessageLockRequest.decode(request).locktoken),
    SetSessionState: (scope, request) => {
      const { sessionId, sessionState } = rpc.SetSessionStateRequest.decode(request);
      return settlements.session(scope, sessionId).setState(sessionState);
    },
    ReleaseSession: async (scope, request) =>
      settlements.session(scope, rpc.ReleaseSessionRequest.decode(request).sessionId).release(),
    GetSessionState: async (scope, request) => {
      const { sessionId } = rpc.GetSessionStateRequest.decode(request);
      const sessionState = await settlements.session(scope, sessionId).state();
      return rpc.GetSessionStateResponse.encode({ sessionState }).finish();
    },
    RenewSessionLock: async (scope, request) => {
      const { sessionId } = rpc.RenewSessionLockRequest.decode(request);
      const untilMs = await settlements.session(scope, sessionId).renew();
      return rpc.RenewSessionLockResponse.encode({ lockedUntil: toTimestamp(untilMs) }).finish();
    },
  };
  return new Map(Object.entries(calls).map(([name, call]) => [settlementPath(name as SettlementCall), toAnswer(call)]));
}

/** The methods of a server whose callers say by their metadata who they are. */
export function createSettlementMethods(
  answers: ReadonlyMap<string, AnswerSettlement>,
  admit: AdmitSettlement,
): Readonly<Record<string, RpcMethod>> {
  const toMethod = (answer: AnswerSettlement): RpcMethod => ({
    kind: 'unary',
    async call(request, { metadata }) {
      const admission = await admit(metadata);
      return admission.kind === 'refused' ? admission.status : answer(admission, request);
    },
  });
  return Object.fromEntries([...answers].map(([path, answer]) => [path, toMethod(answer)]));
}

/** What the broker says goes to the worker, as the official extension has it. */
function toAnswer(call: Settle): AnswerSettlement {
  return async (scope, request) => {
    try {
      const answer = await call(scope, request);
      return answer instanceof Uint8Array ? answer : nothing;
    } catch (thrown) {
      const code = isPlatformError(thrown) ? thrown.definition.grpc : grpcStatus.unknown;
      return { code, message: messageOf(thrown) };
    }
  };
}

function toTimestamp(timeMs: number): Timestamp {
  const seconds = Math.floor(timeMs / 1_000);
  return { seconds: BigInt(seconds), nanos: (timeMs - seconds * 1_000) * 1_000_000 };
}
