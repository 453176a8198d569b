/** The dead letters of the embedded bus. */
import type { Clock } from '@switchyard/kernel';
import { decodeEventEnvelope } from '@switchyard/protocol';
import { integerOf, optionalTextOf, textOf } from '../../store/sqlite/row.ts';
import type { SqliteFile, SqliteRow } from '../../store/sqlite/sqlite-file.ts';
import type {
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetters,
  InboxEraser,
  ReplayOutcome,
} from '../contract.ts';
import { parseHistory } from '../failure-history.ts';
import { busLimits } from '../limits.ts';
import type { Queue } from './queue.ts';
import type { SubscriptionTable } from './subscription-table.ts';

export interface SqliteDeadLettersDeps {
  readonly clock: Clock;
  readonly file: SqliteFile;
  readonly queue: Queue;
  readonly subscriptions: SubscriptionTable;
  readonly inbox: InboxEraser;
  wake(subscriptionId: number): void;
}

const selection = `SELECT d.*, s.topic, s.name FROM dead_letters d JOIN subscriptions s USING (subscription_id)`;

/** Each condition is passed over when its value is NULL, so one text serves every query. */
const condition = `(?1 IS NULL OR s.topic = ?1) AND (?2 IS NULL OR s.name = ?2) AND (?3 IS NULL OR d.tenant_id = ?3)
  AND (?4 IS NULL OR d.event_type = ?4) AND (?5 IS NULL OR d.reason = ?5) AND (?6 IS NULL OR d.correlation_id = ?6)`;

/** How many events one step of a replay moves. */
const replayStep = 500;

export class SqliteDeadLetters implements DeadLetters {
  readonly #deps: SqliteDeadLettersDeps;

  constructor(deps: SqliteDeadLettersDeps) {
    this.#deps = deps;
  }

  async list(
    query: DeadLetterQuery = {},
    { after, limit = 100 }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<DeadLetterPage> {
    const most = Math.max(1, Math.min(limit, busLimits.deadLetterPage));
    const rows = this.#rows(query, after === undefined ? 0 : Number(after), most + 1);
    const items = rows.slice(0, most).map(toDeadLetter);
    const last = items.at(-1);
    return rows.length > most && last !== undefined ? { items, next: last.deadLetterId } : { items };
  }

  async get(deadLetterId: string): Promise<DeadLetter | undefined> {
    const row = this.#row(deadLetterId);
    return row === undefined ? undefined : toDeadLetter(row);
  }

  async count(query: DeadLetterQuery = {}): Promise<number> {
    const row = this.#deps.file.read(() =>
      this.#deps.file.get(
        `SELECT count(*) AS value FROM dead_letters d JOIN subscriptions s USING (subscription_id) WHERE ${condition}`,
        ...valuesOf(query),
      ),
    );
    return row === undefined ? 0 : integerOf(row, 'value');
  }

  async replay(deadLetterId: string): Promise<ReplayOutcome> {
    const letter = await this.get(deadLetterId);
    if (letter === undefined) return { kind: 'unknown' };
    if (letter.envelope === undefined) return { kind: 'unreadable' };
    const moved = await this.#move([letter]);
    return moved === 0 ? { kind: 'unknown' } : { kind: 'replayed', eventId: letter.envelope.eventId };
  }

  async replayAll(query: DeadLetterQuery = {}): Promise<number> {
    const lastRow = this.#deps.file.read(() =>
      this.#deps.file.get('SELECT COALESCE(MAX(dead_letter_id), 0) AS last FROM dead_letters'),
    );
    const last = lastRow === undefined ? 0 : integerOf(lastRow, 'last');
    let after = 0;
    let moved = 0;
    for (;;) {
      const rows = this.#rows(query, after, replayStep).filter((row) => integerOf(row, 'dead_letter_id') <= last);
      const final = rows.at(-1);
      if (final === undefined) return moved;
      after = integerOf(final, 'dead_letter_id');
      moved += await this.#move(rows.map(toDeadLetter));
    }
  }

  remove(deadLetterId: string): Promise<boolean> {
    return this.#deps.file.write(
      () => this.#deps.file.run('DELETE FROM dead_letters WHERE dead_letter_id = ?', toRowId(deadLetterId)) > 0,
    );
  }

  /** The inbox first: a crash after it leaves a dead letter that can be replayed again, never one that nobody handles. */
  async #move(letters: readonly DeadLetter[]): Promise<number> {
    const { inbox, file } = this.#deps;
    const readable = letters.filter((letter) => letter.envelope !== undefined);
    const idsOf = new Map<string, string[]>();
    for (const { subscription, envelope } of readable) {
      if (envelope === undefined) continue;
      const ids = idsOf.get(subscription) ?? [];
      ids.push(envelope.eventId);
      idsOf.set(subscription, ids);
    }
    for (const [subscription, ids] of idsOf) await inbox.forget(subscription, ids);
    return file.write(() => readable.filter((letter) => this.#requeue(letter)).length);
  }

  #requeue({ deadLetterId, topic, subscription, orderingKey }: DeadLetter): boolean {
    const { clock, file, queue, subscriptions, wake } = this.#deps;
    const owner = subscriptions.find(topic, subscription);
    const row = file.get('DELETE FROM dead_letters WHERE dead_letter_id = ? RETURNING envelope', toRowId(deadLetterId));
    if (owner === undefined || row === undefined) return false;
    queue.insert(owner, {
      envelope: textOf(row, 'envelope'),
      orderingKey,
      dueMs: clock.now(),
      replayOf: deadLetterId,
    });
    wake(owner.subscriptionId);
    return true;
  }

  #rows(query: DeadLetterQuery, after: number, limit: number): readonly SqliteRow[] {
    const { file } = this.#deps;
    return file.read(() =>
      file.all(
        `${selection} WHERE ${condition} AND d.dead_letter_id > ?7 ORDER BY d.dead_letter_id LIMIT ?8`,
        ...valuesOf(query),
        Number.isSafeInteger(after) ? after : 0,
        limit,
      ),
    );
  }

  #row(deadLetterId: string): SqliteRow | undefined {
    const { file } = this.#deps;
    return file.read(() => file.get(`${selection} WHERE d.dead_letter_id = ?`, toRowId(deadLetterId)));
  }
}

/** A number that no row has for what is no id. */
function toRowId(deadLetterId: string): number {
  return /^[1-9]\d{0,14}$/.test(deadLetterId) ? Number(deadLetterId) : 0;
}

function valuesOf(query: DeadLetterQuery): readonly (string | null)[] {
  const { topic, subscription, tenantId, eventType, reason, correlationId } = query;
  return [topic, subscription, tenantId, eventType, reason, correlationId].map((value) => value ?? null);
}

function toDeadLetter(row: SqliteRow): DeadLetter {
  const text = textOf(row, 'envelope');
  const parsing = decodeEventEnvelope(text);
  const orderingKey = optionalTextOf(row, 'ordering_key');
  return {
    deadLetterId: String(integerOf(row, 'dead_letter_id')),
    topic: textOf(row, 'topic'),
    subscription: textOf(row, 'name'),
    envelope: parsing.kind === 'envelope' ? parsing.envelope : undefined,
    ...(parsing.kind === 'envelope' ? {} : { body: text }),
    ...(orderingKey === undefined ? {} : { orderingKey }),
    reason: textOf(row, 'reason'),
    description: textOf(row, 'description'),
    deliveryCount: integerOf(row, 'attempts'),
    deadLetteredAtMs: integerOf(row, 'at_ms'),
    history: parseHistory(textOf(row, 'history')),
  };
}
