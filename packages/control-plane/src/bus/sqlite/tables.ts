import type { SqliteMigration } from '../../store/sqlite/sqlite-file.ts';

/** `SYbu` in the header tells the file of a bus from others. */
export const busApplicationId = 0x53596275;

/**
 * `queue` has one row for each event and subscription. Ready rows are found by a partial index, so what waits, is locked
 * or stands behind another of its key costs nothing. `group_key` is the ordering key where the subscription is ordered,
 * and `is_head` says that no earlier row has it.
 */
export const busMigrations: readonly SqliteMigration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE subscriptions (
        subscription_id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        name TEXT NOT NULL,
        spec TEXT NOT NULL,
        UNIQUE (topic, name)
      ) STRICT;
      CREATE TABLE seen (
        topic TEXT NOT NULL,
        event_id TEXT NOT NULL,
        until_ms INTEGER NOT NULL,
        PRIMARY KEY (topic, event_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX seen_until ON seen (until_ms);
      CREATE TABLE queue (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        subscription_id INTEGER NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
        envelope TEXT NOT NULL,
        ordering_key TEXT,
        group_key TEXT,
        is_head INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        locked_until_ms INTEGER,
        attempts INTEGER NOT NULL,
        history TEXT,
        replay_of TEXT
      ) STRICT;
      CREATE INDEX queue_ready ON queue (subscription_id, due_ms, position) WHERE locked_until_ms IS NULL AND is_head = 1;
      CREATE INDEX queue_locked ON queue (subscription_id, locked_until_ms) WHERE locked_until_ms IS NOT NULL;
      CREATE INDEX queue_groups ON queue (subscription_id, group_key, position) WHERE group_key IS NOT NULL;
      CREATE TABLE dead_letters (
        dead_letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
        subscription_id INTEGER NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
        event_id TEXT NOT NULL,
        event_type TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        correlation_id TEXT NOT NULL,
        envelope TEXT NOT NULL,
        ordering_key TEXT,
        reason TEXT NOT NULL,
        description TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        history TEXT NOT NULL,
        at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX dead_letters_of_subscription ON dead_letters (subscription_id, dead_letter_id);
    `,
  },
];
