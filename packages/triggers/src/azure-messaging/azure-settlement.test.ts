/** The gRPC service Settlement between a worker and the official library, on a local AMQP broker. */
import { silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createRpcChannel, createRpcServer, type RpcServer, settlementRpc as rpc } from '@switchyard/protocol';
import { createMemoryLog } from '@switchyard/testkit';
import { type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import rhea from 'rhea';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InvocationOutcome, TriggerEvent, TriggerListener } from '../contract.ts';
import { createServiceBusTrigger } from '../service-bus/service-bus-trigger.ts';
import { createSettlementAnswers, createSettlementMethods } from '../service-bus/settlement-methods.ts';
import { Settlements } from '../service-bus/settlements.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { failed, succeeded } from '../testing/scripted-invoke.ts';
import { readAmqpMap } from './annotated-message.ts';
import { createAzureServiceBus } from './azure-service-bus.ts';

const service = createAzureServiceBus();
const { signal } = new AbortController();
const waiting = { timeout: 20_000 };

let peer: AmqpPeer;
let settlements: Settlements;
let server: RpcServer;
let channel: ReturnType<typeof createRpcChannel>;
let listener: TriggerListener | undefined;
beforeEach(async () => {
  peer = await openAmqpPeer();
  settlements = new Settlements();
  const methods = createSettlementMethods(createSettlementAnswers(settlements, readAmqpMap), async () => ({
    kind: 'all',
  }));
  server = createRpcServer({ clock: systemClock }, { methods });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
});
afterEach(async () => {
  await listener?.close();
  await Promise.all([channel.close(0), server.close(0), peer.close()]);
});

/** Starts a function that may call the service. */
async function listen(raw: Record<string, unknown>, run: (event: TriggerEvent) => Promise<InvocationOutcome>) {
  const kind = createServiceBusTrigger(service, settlements);
  const binding = createBinding({ type: 'serviceBusTrigger', name: 'message', connection: 'Bus', ...raw });
  const scope = createScope({
    settings: { Bus: peer.connectionString },
    extensions: { serviceBus: { maxConcurrentSessions: 1 } },
  });
  let calls = 0;
  listener = kind.listen(kind.parse(binding, scope), {
    applicationId: 'shop',
    hostId: 'host',
    functionName: 'Hello',
    settings: createSettingsView([]),
    clock: systemClock,
    random: systemRandom,
    log: createMemoryLog(),
    meter: silentMeter,
    invoke: async (event) => {
      calls += 1;
      return run(event);
    },
  });
  await listener.start(signal);
  return { calls: () => calls };
}

const tokenOf = ({ metadata }: TriggerEvent): string => {
  const data = metadata.get('LockToken')?.data;
  return data?.$case === 'string' ? data.value : '';
};

/** Calls a method; resolves with the answer, or the status and its message. */
async function call(method: string, request: Uint8Array): Promise<Uint8Array | string> {
  const outcome = await channel.unary(`/Settlement/${method}`, request);
  return outcome.kind === 'answered' ? outcome.message : `${outcome.status.code} ${outcome.status.message}`;
}

const put = (entity: string, ...texts: string[]): Promise<void> =>
  service.send(
    namespaceWithKey(peer.connectionString),
    entity,
    texts.map((text) => ({ body: Buffer.from(text), contentType: 'text/plain', messageId: text })),
  );

describe('Settlement', () => {
  it('completes, and the function’s own end changes nothing more', async () => {
    const queue = peer.declareQueue('orders');
    const answers: unknown[] = [];
    const { calls } = await listen({ queueName: 'orders' }, async (event) => {
      const request = rpc.CompleteRequest.encode({ locktoken: tokenOf(event) }).finish();
      answers.push(await call('Complete', request), await call('Complete', request));
      return failed();
    });
    await put('orders', 'mine');
    await expect.poll(() => answers.length, waiting).toBe(2);
    await expect.poll(() => queue.messages.length, waiting).toBe(0);
    expect(answers[0]).toEqual(Buffer.alloc(0));
    expect(answers[1]).toContain('9 The message with the lock token');
    await listener?.drain(signal);
    expect(calls()).toBe(1);
    expect(queue.deadLetters?.messages).toHaveLength(0);
  });

  it('abandons and puts among the dead letters, with properties', async () => {
    const queue = peer.declareQueue('orders');
    const propertiesToModify = encodeMap({ seen: 'yes', count: 3 });
    await listen({ queueName: 'orders' }, async (event) => {
      const locktoken = tokenOf(event);
      const isFirst = event.details?.DeliveryCount === '0';
      if (isFirst) await call('Abandon', rpc.AbandonRequest.encode({ locktoken, propertiesToModify }).finish());
      else {
        const why = { deadletterReason: 'odd', deadletterErrorDescription: 'it is odd' };
        await call(
          'Deadletter',
          rpc.DeadletterRequest.encode({ locktoken, propertiesToModify: new Uint8Array(), ...why }).finish(),
        );
      }
      return succeeded();
    });
    await put('orders', 'twice');
    await expect.poll(() => queue.deadLetters?.messages.length, waiting).toBe(1);
    expect(queue.deadLetters?.messages[0]?.message.application_properties).toMatchObject({
      seen: 'yes',
      count: 3,
      DeadLetterReason: 'odd',
      DeadLetterErrorDescription: 'it is odd',
    });
  });

  it('defers and renews', async () => {
    const queue = peer.declareQueue('orders');
    const answers: unknown[] = [];
    await listen({ queueName: 'orders' }, async (event) => {
      const locktoken = tokenOf(event);
      answers.push(await call('RenewMessageLock', rpc.RenewMessageLockRequest.encode({ locktoken }).finish()));
      const propertiesToModify = new Uint8Array();
      answers.push(await call('Defer', rpc.DeferRequest.encode({ locktoken, propertiesToModify }).finish()));
      return succeeded();
    });
    await put('orders', 'later');
    await expect.poll(() => queue.messages[0]?.isDeferred, waiting).toBe(true);
    await expect.poll(() => answers, waiting).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
  });

  it('reads and writes the state of a session, renews it and lets it go', async () => {
    const queue = peer.declareQueue('orders', { requiresSession: true });
    const states: string[] = [];
    let lockedUntil: bigint | undefined;
    await listen({ queueName: 'orders', isSessionsEnabled: true }, async () => {
      const sessionId = 'cart';
      const before = await call('GetSessionState', rpc.GetSessionStateRequest.encode({ sessionId }).finish());
      const state = Buffer.from(rpc.GetSessionStateResponse.decode(before as Uint8Array).sessionState).toString();
      const sessionState = Buffer.from(`state ${states.length + 1}`);
      await call('SetSessionState', rpc.SetSessionStateRequest.encode({ sessionId, sessionState }).finish());
      const renewed = await call('RenewSessionLock', rpc.RenewSessionLockRequest.encode({ sessionId }).finish());
      lockedUntil = rpc.RenewSessionLockResponse.decode(renewed as Uint8Array).lockedUntil?.seconds;
      await call('ReleaseSession', rpc.ReleaseSessionRequest.encode({ sessionId }).finish());
      states.push(state);
      return succeeded();
    });
    queue.put({ body: Buffer.from('one'), group_id: 'cart' });
    await expect.poll(() => states, waiting).toEqual(['']);
    queue.put({ body: Buffer.from('two'), group_id: 'cart' });
    await expect.poll(() => states, waiting).toEqual(['', 'state 1']);
    expect(Number(lockedUntil)).toBeGreaterThan(Date.now() / 1_000);
    expect(await call('GetSessionState', rpc.GetSessionStateRequest.encode({ sessionId: 'none' }).finish())).toContain(
      '9 0 entities have the session',
    );
  });
});

function encodeMap(map: Readonly<Record<string, unknown>>): Uint8Array {
  const types = rhea.types as unknown as { Writer: new () => { write(value: unknown): void; toBuffer(): Buffer } };
  const writer = new types.Writer();
  writer.write(rhea.types.wrap_map({ ...map }));
  return writer.toBuffer();
}
