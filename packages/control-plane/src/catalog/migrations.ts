/** The tables of the catalog, as the steps that lead to them. A step that was ever released is never changed. */
export interface Migration {
  /** 1, 2, 3, ... */
  readonly version: number;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE installation (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
      CREATE TABLE tenants (tenant_id TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL) STRICT;
      CREATE TABLE applications (
        application_id TEXT PRIMARY KEY,
        tenant_id TEXT NOT NULL REFERENCES tenants,
        runtime TEXT NOT NULL, version TEXT NOT NULL, architecture TEXT NOT NULL,
        revision INTEGER NOT NULL,
        settings_revision INTEGER NOT NULL,
        traffic_revision INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX applications_of_tenant ON applications (tenant_id);
      CREATE TABLE host_names (
        host_name TEXT PRIMARY KEY,
        application_id TEXT NOT NULL REFERENCES applications ON DELETE CASCADE,
        position INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX host_names_of_application ON host_names (application_id);
      CREATE TABLE versions (
        application_id TEXT NOT NULL REFERENCES applications ON DELETE CASCADE,
        code_version TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        runtime TEXT NOT NULL, version TEXT NOT NULL, architecture TEXT NOT NULL,
        message TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'indexed', 'failed')),
        function_index BLOB, host_json TEXT, metadata_version TEXT, settings_revision INTEGER,
        reason TEXT,
        PRIMARY KEY (application_id, code_version)
      ) STRICT;
      CREATE TABLE settings (
        application_id TEXT NOT NULL REFERENCES applications ON DELETE CASCADE,
        name_key TEXT NOT NULL,
        name TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (application_id, name_key)
      ) STRICT;
      CREATE TABLE traffic (
        application_id TEXT NOT NULL REFERENCES applications ON DELETE CASCADE,
        revision INTEGER NOT NULL,
        weights TEXT NOT NULL,
        set_at_ms INTEGER NOT NULL,
        reason TEXT NOT NULL CHECK (reason IN ('deployment', 'traffic', 'rollback')),
        PRIMARY KEY (application_id, revision)
      ) STRICT;
      CREATE TABLE deployments (
        deployment_id TEXT PRIMARY KEY,
        application_id TEXT NOT NULL REFERENCES applications ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        message TEXT NOT NULL,
        promote INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed'))
      ) STRICT;
      CREATE INDEX deployments_of_application ON deployments (application_id, sequence);
      CREATE INDEX deployments_by_state ON deployments (state);
      CREATE TABLE deployment_steps (
        deployment_id TEXT NOT NULL REFERENCES deployments ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        message TEXT, problem TEXT,
        PRIMARY KEY (deployment_id, position),
        UNIQUE (deployment_id, name)
      ) STRICT;
      CREATE TABLE keys (
        application_id TEXT NOT NULL REFERENCES applications ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('host', 'function', 'system', 'master')),
        function_key TEXT NOT NULL,
        name_key TEXT NOT NULL,
        function_name TEXT NOT NULL,
        name TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (application_id, kind, function_key, name_key)
      ) STRICT;
      CREATE TABLE package_grants (
        sha256 TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        PRIMARY KEY (sha256, tenant_id)
      ) STRICT;
    `,
  },
];
