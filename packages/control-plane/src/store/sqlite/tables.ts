import type { SqliteMigration } from './sqlite-file.ts';

/** `SYst` in the header tells the file of a store from others. */
export const storeApplicationId = 0x53597374;

export const storeMigrations: readonly SqliteMigration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE documents (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        value TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER,
        PRIMARY KEY (kind, key)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX documents_of_tenant ON documents (kind, tenant_id, key);
      CREATE INDEX documents_expiry ON documents (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
      CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        token INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE inbox (
        subscription TEXT NOT NULL,
        event_id TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (subscription, event_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX inbox_age ON inbox (at_ms);
      CREATE TABLE events (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        event_id TEXT NOT NULL,
        event_type TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        environment_id TEXT,
        correlation_id TEXT NOT NULL,
        trace_id TEXT NOT NULL,
        envelope TEXT NOT NULL,
        ordering_key TEXT,
        not_before_ms INTEGER,
        committed_at_ms INTEGER NOT NULL,
        sent_at_ms INTEGER
      ) STRICT;
      CREATE INDEX events_unsent ON events (sequence) WHERE sent_at_ms IS NULL;
      CREATE INDEX events_age ON events (sent_at_ms) WHERE sent_at_ms IS NOT NULL;
      CREATE INDEX events_of_id ON events (event_id);
      CREATE INDEX events_of_correlation ON events (correlation_id, sequence);
      CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        actor TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        outcome TEXT NOT NULL,
        correlation_id TEXT,
        trace_id TEXT,
        event_id TEXT,
        detail TEXT,
        at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX audit_age ON audit (at_ms);
      CREATE INDEX audit_of_target ON audit (target, sequence);
    `,
  },
];
