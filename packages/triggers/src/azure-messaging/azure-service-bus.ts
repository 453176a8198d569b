/**
 * Service Bus through the official library, which is loaded when it is first used.
 *
 * Ownership: one client for each namespace, for as long as the process lives; receivers belong to whoever opened them.
 */
import type {
  DeadLetterOptions,
  ServiceBusReceiver as SdkReceiver,
  ServiceBusAdministrationClient,
  ServiceBusClient,
  ServiceBusReceivedMessage,
  ServiceBusSessionReceiver,
} from '@azure/service-bus';
import { messageOf } from '@switchyard/kernel';
import Long from 'long';
import { type AzureIdentities, createAzureIdentities } from '../azure-identity/azure-identities.ts';
import { triggerErrors } from '../errors.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import type {
  MessageSettling,
  OutgoingServiceBusMessage,
  ServiceBusEntity,
  ServiceBusMessage,
  ServiceBusReceiver,
  ServiceBusService,
  SessionControl,
} from '../service-bus/service-bus-client.ts';
import { type AmqpCodec, bytesOfBody, loadAmqpCodec } from './annotated-message.ts';
import {
  type ClientOptions,
  clientKeyOf,
  type NamespaceArguments,
  toArguments,
  toClientOptions,
} from './namespace-client.ts';

type Sdk = typeof import('@azure/service-bus');

const packageName = '@azure/service-bus';

/** Locks that are lost make a message come again; that is nobody's failure. */
const lostCodes: ReadonlySet<string> = new Set(['MessageLockLost', 'SessionLockLost', 'MessageNotFound']);

/** Nobody has messages in a session for the moment. */
const noSessionCodes: ReadonlySet<string> = new Set(['SessionCannotBeLocked', 'ServiceTimeout']);

/** A namespace, with a sender for each entity, and what looks into those that are watched. */
interface Namespace {
  readonly client: ServiceBusClient;
  /** The other door of the namespace, over HTTPS; made when it is first needed. */
  readonly administrate: () => ServiceBusAdministrationClient;
  readonly peekers: Map<string, SdkReceiver>;
  readonly senders: Map<string, ReturnType<ServiceBusClient['createSender']>>;
}

export function createAzureServiceBus(
  load: () => Promise<Sdk> = () => import('@azure/service-bus'),
  identities: AzureIdentities = createAzureIdentities({ allowsAmbient: false }),
): ServiceBusService {
  const namespaces = new Map<string, Namespace>();
  let loading: Promise<Sdk> | undefined;
  const namespaceOf = async (connection: NamespaceConnection): Promise<Namespace> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const sdk = await loading;
    const access = await toArguments(connection, identities);
    const options = await toClientOptions(connection);
    const key = clientKeyOf(connection);
    const known = namespaces.get(key) ?? createNamespace(sdk, access, options);
    namespaces.set(key, known);
    return known;
  };
  return {
    async open(connection, entity) {
      const { client } = await namespaceOf(connection);
      return toReceiver(createReceiver(client, entity), await loadAmqpCodec());
    },
    async openSession(connection, entity, signal) {
      const { client } = await namespaceOf(connection);
      const receiver = await acceptSession(client, entity, signal);
      return receiver && toReceiver(receiver, await loadAmqpCodec());
    },
    async peek(connection, entity, maximum, abortSignal) {
      const { client, peekers } = await namespaceOf(connection);
      const key = JSON.stringify(entity);
      const receiver = peekers.get(key) ?? createReceiver(client, entity);
      peekers.set(key, receiver);
      // Without a number the library goes on where it looked last.
      const from = { fromSequenceNumber: Long.ZERO, omitMessageBody: true, abortSignal };
      const peeked = await receiver.peekMessages(maximum, from);
      const waiting = peeked.filter(({ state }) => state === 'active');
      return {
        waiting: waiting.map(({ enqueuedTimeUtc }) => ({ enqueuedMs: enqueuedTimeUtc?.getTime() ?? 0 })),
        isFull: peeked.length >= maximum,
      };
    },
    async count(connection, entity, abortSignal) {
      const { administrate } = await namespaceOf(connection);
      const options = { abortSignal, requestOptions: { timeout: countMs } };
      const { activeMessageCount } =
        entity.kind === 'queue'
          ? await administrate().getQueueRuntimeProperties(entity.queue, options)
          : await administrate().getSubscriptionRuntimeProperties(entity.topic, entity.subscription, options);
      return activeMessageCount;
    },
    async send(connection, entity, messages) {
      const { client, senders } = await namespaceOf(connection);
      const sender = senders.get(entity) ?? client.createSender(entity);
      senders.set(entity, sender);
      await sendAll(sender, messages);
    },
  };
}

/** Who asks asks again by himself. */
const administrationOptions = { retryOptions: { maxRetries: 0 } };
const countMs = 5_000;

function createNamespace(
  { ServiceBusClient: Client, ServiceBusAdministrationClient: Administration }: Sdk,
  [host, credential]: NamespaceArguments,
  options: ClientOptions,
): Namespace {
  return {
    client: credential === undefined ? new Client(host, options) : new Client(host, credential, options),
    administrate: once(() =>
      credential === undefined
        ? new Administration(host, administrationOptions)
        : new Administration(host, credential, administrationOptions),
    ),
    senders: new Map(),
    peekers: new Map(),
  };
}

/** The same value each time. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The listener renews locks: the library stumbles over messages without an id when it does. */
const receiverOptions = { maxAutoLockRenewalDurationInMs: 0, skipParsingBodyAsJson: true };

function createReceiver(client: ServiceBusClient, entity: ServiceBusEntity): SdkReceiver {
  const options = receiverOptions;
  return entity.kind === 'queue'
    ? client.createReceiver(entity.queue, options)
    : client.createReceiver(entity.topic, entity.subscription, options);
}

async function acceptSession(
  client: ServiceBusClient,
  entity: ServiceBusEntity,
  abortSignal: AbortSignal,
): Promise<ServiceBusSessionReceiver | undefined> {
  const options = { ...receiverOptions, abortSignal };
  try {
    return entity.kind === 'queue'
      ? await client.acceptNextSession(entity.queue, options)
      : await client.acceptNextSession(entity.topic, entity.subscription, options);
  } catch (thrown) {
    if (abortSignal.aborted || noSessionCodes.has(codeOf(thrown))) return undefined;
    throw thrown;
  }
}

function toReceiver(receiver: SdkReceiver | ServiceBusSessionReceiver, codec: AmqpCodec): ServiceBusReceiver {
  let isReleased = false;
  const session = 'renewSessionLock' in receiver ? toSession(receiver, () => (isReleased = true)) : undefined;
  const held = new WeakMap<ServiceBusMessage, ServiceBusReceivedMessage>();
  const settle = async (
    message: ServiceBusMessage,
    how: (received: ServiceBusReceivedMessage) => Promise<void>,
  ): Promise<void> => {
    const received = held.get(message);
    if (received === undefined) return;
    try {
      await how(received);
    } catch (thrown) {
      if (!lostCodes.has(codeOf(thrown))) throw thrown;
    }
  };
  return {
    async receive(maximum, maxWaitTimeInMs, abortSignal) {
      try {
        const received = await receiver.receiveMessages(maximum, { maxWaitTimeInMs, abortSignal });
        return received.map((one) => {
          const message = toMessage(one, codec);
          held.set(message, one);
          return message;
        });
      } catch (thrown) {
        if (abortSignal.aborted) return [];
        throw thrown;
      }
    },
    complete: (message) => settle(message, (received) => receiver.completeMessage(received)),
    abandon: (message) => settle(message, (received) => receiver.abandonMessage(received)),
    async settle(message, how) {
      const received = held.get(message);
      if (received !== undefined) await settleWith(receiver, received, how);
    },
    ...(session === undefined ? {} : { session }),
    get isReleased() {
      return isReleased;
    },
    async renew(message) {
      const received = held.get(message);
      if (session !== undefined) return session.renew();
      if (!('renewMessageLock' in receiver)) return 0;
      return received === undefined ? 0 : (await receiver.renewMessageLock(received)).getTime();
    },
    close: () => receiver.close(),
  };
}

function settleWith(receiver: SdkReceiver, received: ServiceBusReceivedMessage, how: MessageSettling): Promise<void> {
  switch (how.kind) {
    case 'complete':
      return receiver.completeMessage(received);
    case 'abandon':
      return receiver.abandonMessage(received, toSdkProperties(how.properties));
    case 'defer':
      return receiver.deferMessage(received, toSdkProperties(how.properties));
    case 'deadLetter': {
      const { reason: deadLetterReason, description: deadLetterErrorDescription } = how;
      const why = { deadLetterReason, deadLetterErrorDescription } as DeadLetterOptions;
      return receiver.deadLetterMessage(received, { ...toSdkProperties(how.properties), ...why });
    }
  }
}

type SdkProperties = Record<string, number | boolean | string | Date | null>;

function toSdkProperties(properties: Readonly<Record<string, unknown>>): SdkProperties {
  return properties as SdkProperties;
}

function toSession(receiver: ServiceBusSessionReceiver, released: () => void): SessionControl {
  return {
    async state() {
      const state: unknown = await receiver.getSessionState();
      return state === undefined || state === null ? new Uint8Array() : bytesOfBody(state);
    },
    setState: (state) => receiver.setSessionState(state.byteLength === 0 ? null : Buffer.from(state)),
    renew: async () => (await receiver.renewSessionLock()).getTime(),
    release: released,
  };
}

function toMessage(received: ServiceBusReceivedMessage, codec: AmqpCodec): ServiceBusMessage {
  const { contentType, subject, to, replyTo, replyToSessionId, sessionId, partitionKey, deadLetterSource } = received;
  const optional = { contentType, subject, to, replyTo, replyToSessionId, sessionId, partitionKey, deadLetterSource };
  const correlationId = received.correlationId === undefined ? {} : { correlationId: String(received.correlationId) };
  return {
    body: bytesOfBody(received.body),
    messageId: String(received.messageId ?? ''),
    lockToken: received.lockToken ?? '',
    deliveryCount: received.deliveryCount ?? 0,
    sequenceNumber: received.sequenceNumber?.toString() ?? '0',
    enqueuedMs: received.enqueuedTimeUtc?.getTime() ?? 0,
    lockedUntilMs: received.lockedUntilUtc?.getTime() ?? 0,
    expiresMs: received.expiresAtUtc?.getTime() ?? maxTimeMs,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as object),
    ...correlationId,
    applicationProperties: received.applicationProperties ?? {},
    encode: () => codec.encode(received._rawAmqpMessage, received.lockToken),
  };
}

/** The last time that .NET knows; a message that never expires expires then. */
const maxTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** As few requests as their sizes allow. */
async function sendAll(
  sender: ReturnType<ServiceBusClient['createSender']>,
  messages: readonly OutgoingServiceBusMessage[],
): Promise<void> {
  let batch = await sender.createMessageBatch();
  for (const message of messages) {
    if (batch.tryAddMessage(message)) continue;
    if (batch.count > 0) await sender.sendMessages(batch);
    batch = await sender.createMessageBatch();
    // Alone and still too large: the service says so.
    if (!batch.tryAddMessage(message)) await sender.sendMessages(message);
  }
  if (batch.count > 0) await sender.sendMessages(batch);
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
