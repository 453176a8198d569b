/** The `$management` node of an entity: the operations that clients ask for beside sending and receiving. */
import rhea, { type Message } from 'rhea';
import type { AmqpEntities } from './amqp-entities.ts';
import { withAnnotations } from './amqp-outgoing.ts';
import type { AmqpRule, AmqpRuleFilter, AmqpSubscription } from './amqp-topic.ts';

/** The answer to a request. */
export interface ManagementAnswer {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const ok = { status: 200, description: 'OK' };
const nothing = { status: 204, description: 'No Content' };

/** Operations by their names; `address` is the entity without `/$management`. */
const operations: ReadonlyMap<string, (entities: AmqpEntities, address: string, body: Fields) => ManagementAnswer> =
  new Map([
    ['com.microsoft:renew-lock', renewLocks],
    ['com.microsoft:renew-session-lock', renewSession],
    ['com.microsoft:get-session-state', sessionState],
    ['com.microsoft:set-session-state', setSessionState],
    ['com.microsoft:schedule-message', schedule],
    ['com.microsoft:cancel-scheduled-message', cancel],
    ['com.microsoft:peek-message', peek],
    ['com.microsoft:update-disposition', updateDisposition],
    ['com.microsoft:add-rule', addRule],
    ['com.microsoft:remove-rule', removeRule],
    ['com.microsoft:enumerate-rules', enumerateRules],
  ]);

export function manage(entities: AmqpEntities, address: string, request: Message): ManagementAnswer {
  const name = String(request.application_properties?.operation);
  if (name === 'READ') return readHub(entities, (request.application_properties ?? {}) as Fields);
  const operation = operations.get(name);
  if (operation === undefined) return { status: 501, description: `The operation '${name}' is not known here.` };
  return operation(entities, address, (request.body ?? {}) as Fields);
}

/** What the clients of event hubs ask of a hub or of one of its partitions. */
function readHub(entities: AmqpEntities, { name, type, partition }: Fields): ManagementAnswer {
  const hub = entities.eventHub(String(name));
  if (hub === undefined) return notFound(String(name));
  if (type === 'com.microsoft:eventhub') {
    const created = rhea.types.wrap_timestamp(hub.createdAtMs);
    return {
      ...ok,
      body: {
        name: hub.name,
        type,
        created_at: created,
        partition_count: hub.partitionIds.length,
        partition_ids: [...hub.partitionIds],
      },
    };
  }
  const partitionId = String(partition);
  if (!hub.partitionIds.includes(partitionId)) return notFound(`${hub.name}/Partitions/${partitionId}`);
  const events = hub.events(partitionId);
  const last = events.at(-1);
  return {
    ...ok,
    body: {
      name: hub.name,
      type,
      partition: partitionId,
      begin_sequence_number: rhea.types.wrap_long(events[0]?.sequence ?? 0),
      last_enqueued_sequence_number: rhea.types.wrap_long(last?.sequence ?? -1),
      last_enqueued_offset: last?.offset ?? '-1',
      last_enqueued_time_utc: rhea.types.wrap_timestamp(last?.enqueuedAtMs ?? hub.createdAtMs),
      is_partition_empty: last === undefined,
    },
  };
}

function gone(what: string): ManagementAnswer {
  const condition = `com.microsoft:${what}-lock-lost`;
  return { status: 410, description: `The ${what} lock is lost.`, condition };
}

function renewLocks(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const ends = tokensOf(body).map((token) => entities.queue(address)?.renew(token));
  if (ends.some((end) => end === undefined)) return gone('message');
  const expirations = rhea.types.wrap_array(ends as number[], 0x83, undefined);
  return { ...ok, body: { expirations } };
}

function renewSession(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const end = entities.queue(address)?.renewSession(String(body['session-id']));
  return end === undefined ? gone('session') : { ...ok, body: { expiration: rhea.types.wrap_timestamp(end) } };
}

function sessionState(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const state = entities.queue(address)?.sessionState(String(body['session-id']));
  return { ...ok, body: { 'session-state': state ?? null } };
}

function setSessionState(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const state = body['session-state'];
  entities.queue(address)?.setSessionState(String(body['session-id']), Buffer.isBuffer(state) ? state : undefined);
  return ok;
}

function schedule(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const entries = body.messages as readonly { message: Buffer }[];
  const sequences = entries.map((entry) => {
    const message = rhea.message.decode(entry.message) as unknown as Message;
    const due = message.message_annotations?.['x-opt-scheduled-enqueue-time'];
    return entities.send(address, message, due instanceof Date ? due.getTime() : Number(due ?? 0)) ?? 0;
  });
  return { ...ok, body: { 'sequence-numbers': rhea.types.wrap_array(sequences, 0x81, undefined) } };
}

function cancel(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  for (const sequence of body['sequence-numbers'] as readonly unknown[]) entities.cancel(address, toNumber(sequence));
  return ok;
}

function peek(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const found =
    entities.queue(address)?.peek(toNumber(body['from-sequence-number']), Number(body['message-count'])) ?? [];
  if (found.length === 0) return nothing;
  const messages = found.map((queued) => ({ message: rhea.message.encode(withAnnotations(queued)) }));
  return { ...ok, body: { messages } };
}

function updateDisposition(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const queue = entities.queue(address);
  const properties = (body['properties-to-modify'] ?? {}) as Fields;
  const settled = tokensOf(body).map((token) => {
    switch (body['disposition-status']) {
      case 'completed':
        return queue?.settle(token, { kind: 'accepted' });
      case 'suspended':
        return queue?.settle(token, {
          kind: 'deadLettered',
          reason: textOf(body['deadletter-reason']),
          description: textOf(body['deadletter-description']),
          properties,
        });
      default:
        return queue?.settle(token, {
          kind: body['disposition-status'] === 'defered' ? 'deferred' : 'abandoned',
          properties,
        });
    }
  });
  return settled.every((each) => each === true) ? ok : gone('message');
}

function addRule(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const rules = entities.subscription(address)?.rules;
  const name = String(body['rule-name']);
  if (rules === undefined) return notFound(address);
  if (rules.has(name))
    return { status: 409, description: 'The rule exists.', condition: 'com.microsoft:entity-already-exists' };
  const description = body['rule-description'] as Fields;
  const sql = description['sql-filter'] as Fields | undefined;
  const correlation = (description['correlation-filter'] ?? {}) as Fields;
  const filter: AmqpRuleFilter =
    sql === undefined
      ? {
          ...optional('messageId', correlation['message-id']),
          ...optional('correlationId', correlation['correlation-id']),
          ...optional('subject', correlation.label),
          ...optional('sessionId', correlation['session-id']),
          properties: (correlation.properties ?? {}) as Fields,
        }
      : { sqlExpression: String(sql.expression) };
  rules.set(name, { name, filter });
  return ok;
}

function removeRule(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  return entities.subscription(address)?.rules.delete(String(body['rule-name'])) === true ? ok : notFound(address);
}

/** Codes of the types that rules are described by, as the official clients know them. */
const codes = {
  description: 0x137_00000004,
  sql: 0x137_0000006,
  correlation: 0x137_0000009,
  noAction: 0x137_00000005,
} as const;

function enumerateRules(entities: AmqpEntities, address: string, body: Fields): ManagementAnswer {
  const subscription: AmqpSubscription | undefined = entities.subscription(address);
  if (subscription === undefined) return notFound(address);
  const skip = Number(body.skip ?? 0);
  const rules = [...subscription.rules.values()].slice(skip, skip + Number(body.top ?? 100));
  if (rules.length === 0) return nothing;
  return { ...ok, body: { rules: rules.map((rule) => ({ 'rule-description': describe(rule) })) } };
}

function describe({ name, filter }: AmqpRule): unknown {
  const described = (code: number, list: readonly unknown[]): unknown =>
    rhea.types.wrap_described(rhea.types.wrap_list([...list]), code);
  const shown =
    filter.sqlExpression === undefined
      ? described(codes.correlation, [
          ...[filter.correlationId ?? null, filter.messageId ?? null, null, null, filter.subject ?? null],
          ...[filter.sessionId ?? null, null, null, rhea.types.wrap_map({ ...filter.properties })],
        ])
      : described(codes.sql, [filter.sqlExpression]);
  return described(codes.description, [shown, described(codes.noAction, []), name]);
}

function notFound(address: string): ManagementAnswer {
  return { status: 404, description: `There is no '${address}'.`, condition: 'com.microsoft:entity-not-found' };
}

function optional<Name extends string>(name: Name, value: unknown): { readonly [Key in Name]?: string } {
  return (typeof value === 'string' ? { [name]: value } : {}) as { readonly [Key in Name]?: string };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Lock tokens come as arrays of 16 bytes, in the order of RFC 4122. */
function tokensOf(body: Fields): readonly string[] {
  const list = (body['lock-tokens'] ?? []) as readonly Buffer[];
  return list.map((token) => toUuid(Buffer.from(token)));
}

function toUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Numbers of 64 bits come as bytes when they are large or were wrapped so. */
function toNumber(value: unknown): number {
  if (Buffer.isBuffer(value)) return Number(value.readBigInt64BE());
  return Number(value);
}
