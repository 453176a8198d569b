/** The gRPC service `Settlement` of the official extension, for the server that workers connect to. */
import { isPlatformError, messageOf } from '@switchyard/kernel';
import { grpcStatus, type RpcMethod, settlementRpc as rpc, type Timestamp } from '@switchyard/protocol';
import type { AmqpMapReader } from './service-bus-client.ts';
import type { Settlements } from './settlements.ts';

const nothing = new Uint8Array();

/** The methods, found by their paths. `readMap` reads properties, which come in the binary form of AMQP. */
export function createSettlementMethods(
  settlements: Settlements,
  readMap: AmqpMapReader,
): Readonly<Record<string, RpcMethod>> {
  const settle: Record<string, (request: Uint8Array) => Promise<void>> = {
    Complete: (request) => settlements.settle(rpc.CompleteRequest.decode(request).locktoken, { kind: 'complete' }),
    Abandon: async (request) => {
      const { locktoken, propertiesToModify } = rpc.AbandonRequest.decode(request);
      return settlements.settle(locktoken, { kind: 'abandon', properties: await readMap(propertiesToModify) });
    },
    Defer: async (request) => {
      const { locktoken, propertiesToModify } = rpc.DeferRequest.decode(request);
      return settlements.settle(locktoken, { kind: 'defer', properties: await readMap(propertiesToModify) });
    },
    Deadletter: async (request) => {
      const { locktoken, propertiesToModify, ...why } = rpc.DeadletterRequest.decode(request);
      return settlements.settle(locktoken, {
        kind: 'deadLetter',
        reason: why.deadletterReason,
        description: why.deadletterErrorDescription,
        properties: await readMap(propertiesToModify),
      });
    },
    RenewMessageLock: (request) => settlements.renew(rpc.RenewMessageLockRequest.decode(request).locktoken),
    SetSessionState: (request) => {
      const { sessionId, sessionState } = rpc.SetSessionStateRequest.decode(request);
      return settlements.session(sessionId).setState(sessionState);
    },
    ReleaseSession: async (request) =>
      settlements.session(rpc.ReleaseSessionRequest.decode(request).sessionId).release(),
  };
  const answer: Record<string, (request: Uint8Array) => Promise<Uint8Array>> = {
    GetSessionState: async (request) => {
      const sessionState = await settlements.session(rpc.GetSessionStateRequest.decode(request).sessionId).state();
      return rpc.GetSessionStateResponse.encode({ sessionState }).finish();
    },
    RenewSessionLock: async (request) => {
      const untilMs = await settlements.session(rpc.RenewSessionLockRequest.decode(request).sessionId).renew();
      return rpc.RenewSessionLockResponse.encode({ lockedUntil: toTimestamp(untilMs) }).finish();
    },
  };
  for (const [name, call] of Object.entries(settle)) {
    answer[name] = async (request) => {
      await call(request);
      return nothing;
    };
  }
  return Object.fromEntries(
    Object.entries(answer).map(([name, call]) => [`/Settlement/${name}`, { kind: 'unary', call: toUnary(call) }]),
  );
}

/** What the broker says goes to the worker, as the official extension has it. */
function toUnary(call: (request: Uint8Array) => Promise<Uint8Array>): Extract<RpcMethod, { kind: 'unary' }>['call'] {
  return async (request) => {
    try {
      return await call(request);
    } catch (thrown) {
      if (isPlatformError(thrown)) throw thrown;
      return { code: grpcStatus.unknown, message: messageOf(thrown) };
    }
  };
}

function toTimestamp(timeMs: number): Timestamp {
  const seconds = Math.floor(timeMs / 1_000);
  return { seconds: BigInt(seconds), nanos: (timeMs - seconds * 1_000) * 1_000_000 };
}
