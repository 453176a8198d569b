/** Apps and their host names, and the tenants that own them. */
import type { Stack } from '@switchyard/model';
import { applicationIdSchema, hostNameSchema, tenantIdSchema } from '@switchyard/protocol/control-api';
import type { Application, ApplicationChange, Applications, Tenants } from './contract.ts';
import { applicationPageLimit } from './limits.ts';
import { integerOf, type Row, textOf } from './row.ts';
import { type CatalogParts, refuse, requireRevision, write } from './writer.ts';

/** Called inside the transaction that makes an app. */
export type OnCreated = (applicationId: string) => void;

export function createApplications(parts: CatalogParts, onCreated: OnCreated): Applications {
  const { database } = parts;
  const get = (applicationId: string): Application | undefined => {
    const row = database.get('SELECT * FROM applications WHERE application_id = ?', applicationId);
    return row && toApplication(parts, row);
  };
  return {
    get,
    list({ tenants, after = '', limit = applicationPageLimit } = {}) {
      const rows = database.all(
        `SELECT * FROM applications WHERE application_id > ? AND (? IS NULL OR tenant_id IN (SELECT value FROM json_each(?)))
         ORDER BY application_id LIMIT ?`,
        after,
        tenants === undefined ? null : '',
        JSON.stringify(tenants ?? []),
        Math.min(limit, applicationPageLimit),
      );
      return rows.map((row) => toApplication(parts, row));
    },
    findByHostName(hostName) {
      const row = database.get('SELECT application_id FROM host_names WHERE host_name = ?', hostName.toLowerCase());
      return row && get(textOf(row, 'application_id'));
    },
    put: (change) =>
      write(parts, change.applicationId, () => {
        const existing = get(change.applicationId);
        requireRevision('properties', change.applicationId, existing?.revision ?? 0, change.revision);
        const changed = existing === undefined ? insert(parts, change, onCreated) : update(parts, existing, change);
        const value = get(change.applicationId) ?? refuse('APPLICATION_UNKNOWN', { ...idOf(change) });
        return { value, changed };
      }),
    remove(applicationId) {
      const count = database.run('DELETE FROM applications WHERE application_id = ?', applicationId);
      if (count > 0) parts.changes.announce(applicationId);
      return count > 0;
    },
  };
}

export function createTenants({ database }: Pick<CatalogParts, 'database'>): Tenants {
  return {
    list: () =>
      database
        .all('SELECT * FROM tenants ORDER BY tenant_id')
        .map((row) => ({ tenantId: textOf(row, 'tenant_id'), createdAtMs: integerOf(row, 'created_at_ms') })),
  };
}

/** The stack in the columns `runtime`, `version` and `architecture`. */
export function stackOf(row: Row): Stack {
  return {
    runtime: textOf(row, 'runtime'),
    version: textOf(row, 'version'),
    architecture: textOf(row, 'architecture'),
  };
}

export function isSameStack(left: Stack, right: Stack): boolean {
  return left.runtime === right.runtime && left.version === right.version && left.architecture === right.architecture;
}

function toApplication({ database }: Pick<CatalogParts, 'database'>, row: Row): Application {
  const applicationId = textOf(row, 'application_id');
  const names = database.all(
    'SELECT host_name FROM host_names WHERE application_id = ? ORDER BY position',
    applicationId,
  );
  return {
    applicationId,
    tenantId: textOf(row, 'tenant_id'),
    hostNames: names.map((name) => textOf(name, 'host_name')),
    stack: stackOf(row),
    revision: integerOf(row, 'revision'),
    createdAtMs: integerOf(row, 'created_at_ms'),
  };
}

function insert(parts: CatalogParts, change: ApplicationChange, onCreated: OnCreated): true {
  const { applicationId, tenantId, stack } = change;
  if (!applicationIdSchema.safeParse(applicationId).success) {
    const expected = 'a DNS label of at most 40 characters: a-z, 0-9 and dashes';
    refuse('APPLICATION_INVALID', { applicationId, key: 'name', value: applicationId, expected });
  }
  if (tenantId === undefined) refuse('APPLICATION_INCOMPLETE', { applicationId, missing: 'tenantId' });
  if (stack === undefined) refuse('APPLICATION_INCOMPLETE', { applicationId, missing: 'stack' });
  if (!tenantIdSchema.safeParse(tenantId).success) {
    const expected = 'a DNS label of at most 40 characters: a-z, 0-9 and dashes';
    refuse('APPLICATION_INVALID', { applicationId, key: 'tenant', value: tenantId, expected });
  }
  const nowMs = parts.clock.now();
  parts.database.run(
    'INSERT INTO tenants (tenant_id, created_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING',
    tenantId,
    nowMs,
  );
  parts.database.run(
    `INSERT INTO applications (application_id, tenant_id, runtime, version, architecture, revision, settings_revision,
       traffic_revision, created_at_ms) VALUES (?, ?, ?, ?, ?, 1, 0, 0, ?)`,
    applicationId,
    tenantId,
    stack.runtime,
    stack.version,
    stack.architecture,
    nowMs,
  );
  setHostNames(parts, applicationId, change.hostNames ?? []);
  onCreated(applicationId);
  return true;
}

function update(parts: CatalogParts, existing: Application, change: ApplicationChange): boolean {
  const { applicationId, tenantId, stack = existing.stack, hostNames } = change;
  if (tenantId !== undefined && tenantId !== existing.tenantId) {
    refuse('APPLICATION_TENANT_FIXED', { applicationId, tenantId });
  }
  const isMoved = hostNames !== undefined && setHostNames(parts, applicationId, hostNames, existing.hostNames);
  if (!isMoved && isSameStack(stack, existing.stack)) return false;
  parts.database.run(
    `UPDATE applications SET runtime = ?, version = ?, architecture = ?, revision = revision + 1
     WHERE application_id = ?`,
    stack.runtime,
    stack.version,
    stack.architecture,
    applicationId,
  );
  return true;
}

/** Answers whether the names are others than before. */
function setHostNames(
  { database }: CatalogParts,
  applicationId: string,
  hostNames: readonly string[],
  before: readonly string[] = [],
): boolean {
  const names = [...new Set(hostNames)];
  if (names.length === before.length && names.every((name, index) => name === before[index])) return false;
  database.run('DELETE FROM host_names WHERE application_id = ?', applicationId);
  for (const [position, hostName] of names.entries()) {
    requireHostName(applicationId, hostName);
    const count = database.run(
      'INSERT INTO host_names (host_name, application_id, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      hostName,
      applicationId,
      position,
    );
    if (count === 0) refuse('HOST_NAME_TAKEN', { applicationId, hostName });
  }
  return true;
}

/** `<app>.localhost` belongs to each app by itself. */
function requireHostName(applicationId: string, hostName: string): void {
  const isReserved = hostName === 'localhost' || hostName.endsWith('.localhost');
  if (!isReserved && hostNameSchema.safeParse(hostName).success) return;
  const expected = 'a DNS name in lower case, without port or wildcard, and not below localhost';
  refuse('APPLICATION_INVALID', { applicationId, key: 'host name', value: hostName, expected });
}

function idOf({ applicationId }: { readonly applicationId: string }): { applicationId: string } {
  return { applicationId };
}
