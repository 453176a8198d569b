/** The subscriptions of the embedded bus. Other processes may change them, so they are read each time. */
import { integerOf, textOf } from '../../store/sqlite/row.ts';
import type { SqliteFile, SqliteRow } from '../../store/sqlite/sqlite-file.ts';
import type { Subscription, SubscriptionDepth } from '../contract.ts';
import type { QueueOwner } from './queue.ts';

export class SubscriptionTable {
  readonly #file: SqliteFile;
  /** Specs by their text, which is written here alone. */
  readonly #parsed = new Map<string, Subscription>();

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  find(topic: string, name: string): QueueOwner | undefined {
    const row = this.#file.get(
      'SELECT subscription_id, spec FROM subscriptions WHERE topic = ? AND name = ?',
      ...[topic, name],
    );
    return row === undefined ? undefined : this.#toOwner(row);
  }

  ofTopic(topic: string): readonly QueueOwner[] {
    return this.#file
      .all('SELECT subscription_id, spec FROM subscriptions WHERE topic = ? ORDER BY subscription_id', topic)
      .map((row) => this.#toOwner(row));
  }

  /** True when something changed. */
  put(spec: Subscription): boolean {
    const text = JSON.stringify(spec);
    return (
      this.#file.run(
        `INSERT INTO subscriptions (topic, name, spec) VALUES (?, ?, ?)
         ON CONFLICT (topic, name) DO UPDATE SET spec = excluded.spec WHERE spec <> excluded.spec`,
        ...[spec.topic, spec.name, text],
      ) > 0
    );
  }

  /** What it holds goes with it. */
  remove(topic: string, name: string): void {
    this.#file.run('DELETE FROM subscriptions WHERE topic = ? AND name = ?', topic, name);
  }

  depths(): readonly SubscriptionDepth[] {
    return this.#file
      .all(
        `SELECT topic, name, COALESCE(q.rows, 0) AS queued, COALESCE(d.rows, 0) AS dead FROM subscriptions
         LEFT JOIN (SELECT subscription_id, count(*) AS rows FROM queue GROUP BY subscription_id) q
           USING (subscription_id)
         LEFT JOIN (SELECT subscription_id, count(*) AS rows FROM dead_letters GROUP BY subscription_id) d
           USING (subscription_id)
         ORDER BY topic, name`,
      )
      .map((row) => ({
        topic: textOf(row, 'topic'),
        subscription: textOf(row, 'name'),
        queued: integerOf(row, 'queued'),
        deadLetters: integerOf(row, 'dead'),
      }));
  }

  /** How many rows of the queue a subscription has. */
  countQueued(subscriptionId: number): number {
    const row = this.#file.get('SELECT count(*) AS value FROM queue WHERE subscription_id = ?', subscriptionId);
    return row === undefined ? 0 : integerOf(row, 'value');
  }

  #toOwner(row: SqliteRow): QueueOwner {
    const text = textOf(row, 'spec');
    let spec = this.#parsed.get(text);
    if (spec === undefined) {
      spec = JSON.parse(text) as Subscription;
      if (this.#parsed.size >= parsedLimit) this.#parsed.clear();
      this.#parsed.set(text, spec);
    }
    return { subscriptionId: integerOf(row, 'subscription_id'), spec };
  }
}

/** Parsed specs that are remembered. */
const parsedLimit = 1_000;
