/** A step towards the present tables. A step that was ever released is never changed. */
export interface PostgresqlMigration {
  /** 1, 2, 3, ... */
  readonly version: number;
  readonly sql: string;
}

/** Keys sort by their bytes, as the embedded store sorts them. All stand in the schema of the store. */
export const postgresqlMigrations: readonly PostgresqlMigration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE documents (
        kind text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        tenant_id text NOT NULL,
        revision bigint NOT NULL,
        value text NOT NULL,
        created_at_ms bigint NOT NULL,
        updated_at_ms bigint NOT NULL,
        expires_at_ms bigint,
        PRIMARY KEY (kind, key)
      );
      CREATE INDEX documents_of_tenant ON documents (kind, tenant_id, key);
      CREATE INDEX documents_expiry ON documents (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
      CREATE TABLE leases (
        name text COLLATE "C" PRIMARY KEY,
        holder text NOT NULL,
        token bigint NOT NULL,
        expires_at_ms bigint NOT NULL
      );
      CREATE TABLE inbox (
        subscription text COLLATE "C" NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        at_ms bigint NOT NULL,
        PRIMARY KEY (subscription, event_id)
      );
      CREATE INDEX inbox_age ON inbox (at_ms);
      CREATE TABLE events (
        sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        event_id text NOT NULL,
        event_type text NOT NULL,
        tenant_id text NOT NULL,
        environment_id text,
        correlation_id text NOT NULL,
        trace_id text NOT NULL,
        envelope text NOT NULL,
        ordering_key text,
        not_before_ms bigint,
        committed_at_ms bigint NOT NULL,
        sent_at_ms bigint
      );
      CREATE INDEX events_unsent ON events (sequence) WHERE sent_at_ms IS NULL;
      CREATE INDEX events_age ON events (sent_at_ms) WHERE sent_at_ms IS NOT NULL;
      CREATE INDEX events_of_id ON events (event_id);
      CREATE INDEX events_of_correlation ON events (correlation_id, sequence);
      CREATE TABLE audit (
        sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        actor text NOT NULL,
        tenant_id text NOT NULL,
        action text NOT NULL,
        target text NOT NULL,
        outcome text NOT NULL,
        correlation_id text,
        trace_id text,
        event_id text,
        detail text,
        at_ms bigint NOT NULL
      );
      CREATE INDEX audit_age ON audit (at_ms);
      CREATE INDEX audit_of_target ON audit (target, sequence);
    `,
  },
];
