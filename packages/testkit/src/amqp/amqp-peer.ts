/**
 * A local AMQP 1.0 broker of the shape of Azure Service Bus and Event Hubs, for tests of clients: queues, topics with
 * subscriptions and rules, peek-lock, renewal, sessions, scheduled messages, dead letters; event hubs with partitions,
 * consumer groups, selectors and epochs; claims-based security, which takes every token unless a test says otherwise.
 *
 * Ownership: the test opens it and closes it. It listens on loopback; without TLS, as the development emulator does, unless it is
 * given a certificate.
 *
 * I1 A client that attaches to what is not declared is told `amqp:not-found`.
 * I2 `cut` ends every connection as a network does; entities and their messages stay.
 * I3 A client whose token is refused is told 401, and attaches to nothing.
 */
import type { AddressInfo, Server, Socket } from 'node:net';
import { type Clock, createDeferred, type Random, systemClock, systemRandom } from '@switchyard/kernel';
import rhea, { type Connection, type EventContext, type Receiver as LinkReceiver, type Message } from 'rhea';
import { AmqpEntities, type AmqpEntityOptions } from './amqp-entities.ts';
import type { AmqpEventHub } from './amqp-event-hub.ts';
import { AmqpHubOutgoing, readHubPlace } from './amqp-hub-outgoing.ts';
import { manage } from './amqp-management.ts';
import { AmqpOutgoing, type OutgoingLink, type PeerOutgoing, type SettlingEvent } from './amqp-outgoing.ts';
import type { AmqpQueue } from './amqp-queue.ts';
import type { AmqpSubscription } from './amqp-topic.ts';
import { openAmqpWebSockets } from './amqp-web-sockets.ts';

export interface AmqpPeer {
  readonly port: number;
  /** Where it is, as the name of a namespace. */
  readonly namespace: string;
  /** The same, for clients that speak over WebSockets; empty without TLS. */
  readonly webSocketNamespace: string;
  /** The tokens that clients have shown, in order. */
  readonly claims: readonly AmqpClaim[];
  /** What the official clients take. */
  readonly connectionString: string;
  declareQueue(name: string, options?: AmqpEntityOptions): AmqpQueue;
  declareTopic(name: string, options?: Pick<AmqpEntityOptions, 'duplicateWindowMs'>): void;
  declareSubscription(topic: string, name: string, options?: AmqpEntityOptions): AmqpSubscription;
  removeSubscription(topic: string, name: string): boolean;
  /** Consumer groups need no declaration. */
  declareEventHub(name: string, partitionCount: number): AmqpEventHub;
  /** How many messages a subscription holds; undefined when there is none. */
  depth(topic: string, name: string): { readonly queued: number; readonly deadLetters: number } | undefined;
  /** Ends every connection at once. */
  cut(): void;
  close(): Promise<void>;
}

/** A token that a client has shown for a resource. */
export interface AmqpClaim {
  /** `jwt`, or that of a shared access signature. */
  readonly type: string;
  readonly audience: string;
  readonly token: string;
}

export interface AmqpPeerDeps {
  /** PEM texts; with them it speaks TLS alone. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Decides about a token; every one is good unless named. */
  readonly admits?: (claim: AmqpClaim) => boolean;
  readonly clock?: Clock;
  readonly random?: Random;
}

const managementSuffix = '/$management';

/** Ticks of .NET: tenths of microseconds since the year 1. */
const ticksAtEpoch = 621_355_968_000_000_000n;

export async function openAmqpPeer(deps: AmqpPeerDeps = {}): Promise<AmqpPeer> {
  const entities = new AmqpEntities({ clock: deps.clock ?? systemClock, random: deps.random ?? systemRandom });
  const container = rhea.create_container({ id: 'amqp-peer' });
  container.sasl_server_mechanisms.enable_anonymous();
  const links = new PeerLinks(entities, deps.admits ?? (() => true));
  container.on('sender_open', (context: EventContext) => links.openOutgoing(context));
  container.on('sender_flow', (context: EventContext) => links.of(context)?.pump());
  for (const event of ['accepted', 'rejected', 'released', 'modified'] as const)
    container.on(event, (context: EventContext) => links.settle(context, event));
  container.on('sender_close', (context: EventContext) => links.close(context));
  container.on('receiver_open', (context: EventContext) => links.openIncoming(context));
  container.on('message', (context: EventContext) => links.receive(context));
  container.on('disconnected', (context: EventContext) => links.disconnected(context.connection));
  // Clients come and go; what they did wrong they are told.
  for (const event of ['error', 'protocol_error', 'connection_error', 'session_error']) container.on(event, () => {});
  const sockets = new Set<Socket>();
  const tls = deps.tls && { transport: 'tls', cert: deps.tls.certificate, key: deps.tls.key };
  const options = { port: 0, host: '127.0.0.1', autosettle: false, treat_modified_as_released: false, ...tls };
  const server = container.listen(options as never) as unknown as Server;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  // With an error, since rhea does not notice a socket that is merely gone: its links would go on taking messages, and its
  // heartbeat would keep the process alive.
  const cutAll = (reason: string): void => {
    for (const socket of sockets) socket.destroy(new Error(reason));
  };
  const listening = createDeferred<void>();
  server.once('listening', () => listening.resolve());
  await listening.promise;
  const webSockets = deps.tls && (await openAmqpWebSockets(container, deps.tls));
  const { port } = server.address() as AddressInfo;
  const secret = Buffer.from('a key that opens nothing').toString('base64');
  const namespace = `${tls === undefined ? '127.0.0.1' : 'localhost'}:${port}`;
  // The clients speak in clear to an emulator alone.
  const emulator = tls === undefined ? ';UseDevelopmentEmulator=true' : '';
  return {
    ...{ port, namespace, claims: links.claims },
    webSocketNamespace: webSockets === undefined ? '' : `localhost:${webSockets.port}`,
    connectionString: `Endpoint=sb://${namespace};SharedAccessKeyName=Root;SharedAccessKey=${secret}${emulator}`,
    declareQueue: (name, queueOptions) => entities.declareQueue(name, queueOptions),
    declareTopic: (name, topicOptions) => {
      entities.declareTopic(name, topicOptions);
    },
    declareSubscription: (topic, name, subscriptionOptions) =>
      entities.declareSubscription(topic, name, subscriptionOptions),
    declareEventHub: (name, partitionCount) => entities.declareEventHub(name, partitionCount),
    removeSubscription: (topic, name) => entities.removeSubscription(topic, name),
    depth: (topic, name) => {
      const queue = entities.queue(`${topic}/Subscriptions/${name}`);
      if (queue === undefined) return undefined;
      return { queued: queue.messages.length, deadLetters: queue.deadLetters?.messages.length ?? 0 };
    },
    cut: () => {
      cutAll('the line was cut');
    },
    close: async () => {
      const closed = createDeferred<void>();
      server.close(() => closed.resolve());
      cutAll('the peer was closed');
      await webSockets?.close();
      await closed.promise;
      entities.close();
    },
  };
}

/** The links of all connections. */
class PeerLinks {
  readonly #entities: AmqpEntities;
  readonly #outgoing = new Map<unknown, PeerOutgoing>();
  readonly #admits: (claim: AmqpClaim) => boolean;
  /** Connections that showed a token that was good. */
  readonly #admitted = new WeakSet<object>();
  readonly claims: AmqpClaim[] = [];

  constructor(entities: AmqpEntities, admits: (claim: AmqpClaim) => boolean) {
    this.#entities = entities;
    this.#admits = admits;
  }

  of(context: EventContext): PeerOutgoing | undefined {
    return this.#outgoing.get(context.sender);
  }

  openOutgoing(context: EventContext): void {
    const link = context.sender as unknown as OutgoingLink;
    const address = String(link.source?.address ?? '');
    link.set_source(link.source);
    link.set_target(link.target);
    if (isNode(address)) return;
    if (this.#turnsAway(context.connection, link)) return;
    const place = readHubPlace(address);
    const hub = place === undefined ? undefined : this.#entities.eventHub(place.hub);
    if (place !== undefined && hub !== undefined) {
      this.#outgoing.set(link, new AmqpHubOutgoing(link, hub, place));
      return;
    }
    const queue = this.#entities.queue(address);
    if (queue === undefined) {
      link.close({ condition: 'amqp:not-found', description: `The messaging entity '${address}' could not be found.` });
      return;
    }
    if (queue.options.requiresSession) this.#openSession(link, queue);
    else this.#outgoing.set(link, new AmqpOutgoing(link, queue, undefined));
  }

  openIncoming(context: EventContext): void {
    const link = context.receiver as unknown as IncomingLink | undefined;
    if (link === undefined) return;
    link.local.attach.max_message_size = maxMessageBytes;
    const address = String(link.target?.address ?? '');
    link.set_source(link.source);
    link.set_target(link.target);
    if (isNode(address)) return;
    if (this.#turnsAway(context.connection, link) || this.#entities.hasTarget(address)) return;
    link.close({ condition: 'amqp:not-found', description: `The messaging entity '${address}' could not be found.` });
  }

  receive(context: EventContext): void {
    const address = String(context.receiver?.target?.address ?? '');
    if (address === '$cbs') this.#answer(context, this.#take(context));
    else if (isNode(address)) {
      const entity = address.slice(0, -managementSuffix.length);
      this.#answer(context, manage(this.#entities, entity, context.message as Message));
    } else for (const message of messagesOf(context)) this.#entities.send(address, message, dueOf(message));
  }

  settle(context: EventContext, event: SettlingEvent): void {
    if (context.delivery !== undefined) this.of(context)?.settle(context.delivery, event);
  }

  close(context: EventContext): void {
    this.of(context)?.close();
    this.#outgoing.delete(context.sender);
  }

  disconnected(connection: Connection): void {
    for (const [link, outgoing] of this.#outgoing) {
      if ((link as OutgoingLink).connection !== connection) continue;
      outgoing.close();
      this.#outgoing.delete(link);
    }
  }

  /** A token. */
  #take(context: EventContext): ReturnType<typeof manage> {
    const { application_properties: properties, body } = context.message as Message;
    const { type = '', name: audience = '' } = (properties ?? {}) as Record<string, string>;
    const claim = { type, audience, token: String(body) };
    this.claims.push(claim);
    if (!this.#admits(claim)) return { status: 401, description: 'The token is not good here.' };
    this.#admitted.add(context.connection);
    return { status: 202, description: 'Accepted' };
  }

  /** Whoever has shown nothing that is good attaches to nothing, where tokens are looked at. */
  #turnsAway(connection: Connection, link: Pick<OutgoingLink, 'close'>): boolean {
    if (this.#admitted.has(connection) || this.#admits(noClaim)) return false;
    link.close({ condition: 'amqp:unauthorized-access', description: 'No token was shown that is good here.' });
    return true;
  }

  #openSession(link: OutgoingLink, queue: AmqpQueue): void {
    const wanted = (link.source?.filter as Record<string, unknown> | undefined)?.[sessionFilter];
    const outgoingOf = (sessionId: string): AmqpOutgoing => new AmqpOutgoing(link, queue, sessionId);
    // The link is the owner that the queue knows until the object that serves it exists.
    const probe = queue.acceptSession(link, typeof wanted === 'string' ? wanted : undefined);
    if (probe === undefined) {
      const isNamed = typeof wanted === 'string';
      link.close({
        condition: isNamed ? 'com.microsoft:session-cannot-be-locked' : 'com.microsoft:timeout',
        description: isNamed
          ? `The session '${wanted}' is held by somebody else.`
          : 'There is no session with messages.',
      });
      return;
    }
    const { sessionId } = probe;
    queue.releaseSession(link, sessionId);
    const outgoing = outgoingOf(sessionId);
    const held = queue.acceptSession(outgoing, sessionId);
    this.#outgoing.set(link, outgoing);
    const source = { ...sourceFields(link), filter: { [sessionFilter]: sessionId } };
    link.set_source(source as never);
    const ticks = BigInt(held?.untilMs ?? 0) * 10_000n + ticksAtEpoch;
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(ticks);
    link.local.attach.properties = { 'com.microsoft:locked-until-utc': rhea.types.wrap_long(bytes) };
  }

  #answer(context: EventContext, { status, description, condition, body }: ReturnType<typeof manage>): void {
    const request = context.message as Message;
    const replyTo = request.reply_to;
    let link: { send(message: Message): unknown } | undefined;
    context.connection.each_link?.((each: unknown) => {
      const candidate = each as OutgoingLink;
      if (!candidate.is_sender?.() || link !== undefined) return;
      if (candidate.name === replyTo || candidate.target?.address === replyTo) link = candidate;
    });
    const names = { statusCode: status, statusDescription: description };
    const dashed = { 'status-code': status, 'status-description': description };
    const failure = condition === undefined ? {} : { errorCondition: condition };
    link?.send({
      correlation_id: request.message_id,
      application_properties: { ...names, ...dashed, ...failure },
      body: body ?? '',
    } as Message);
  }
}

/** What a client shows that shows nothing. */
const noClaim: AmqpClaim = { type: '', audience: '', token: '' };

/** rhea's receiver with what its types leave out. */
type IncomingLink = LinkReceiver & { readonly local: { readonly attach: { max_message_size?: number } } };

/** What the standard tier of Service Bus takes. */
const maxMessageBytes = 256 * 1024;

const sessionFilter = 'com.microsoft:session-filter';

/** Where requests go and answers come from: no queue. */
function isNode(address: string): boolean {
  return address === '$cbs' || `/${address}`.endsWith(managementSuffix);
}

function sourceFields(link: OutgoingLink): object {
  return { address: link.source?.address };
}

/** Batches of the official clients are messages in the data sections of one message of this format. */
const batchFormat = 0x80013700;

function messagesOf(context: EventContext): readonly Message[] {
  const { format, message } = context as unknown as { format?: number; message: unknown };
  if (format === undefined) return [message as Message];
  const outer = rhea.message.decode(message as Buffer) as unknown as { body: { content: Buffer | Buffer[] } };
  if (format !== batchFormat) return [outer as unknown as Message];
  const parts = Array.isArray(outer.body.content) ? outer.body.content : [outer.body.content];
  return parts.map((part) => rhea.message.decode(part) as unknown as Message);
}

function dueOf(message: Message): number {
  const due = message.message_annotations?.['x-opt-scheduled-enqueue-time'];
  return due instanceof Date ? due.getTime() : Number(due ?? 0);
}
