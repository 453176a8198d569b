/** One commit on the embedded store: first everything that must be true, then everything that is written. */
import type { AuditDraft, CommitOutcome, DocumentWrite, Quotas } from '../contract.ts';
import type { PreparedCommit, PreparedEvent, PreparedWrite } from '../prepare-commit.ts';
import { integerOf } from './row.ts';
import type { SqliteFile } from './sqlite-file.ts';

/** Runs inside a batch of the file. Nothing is written unless the outcome is `committed`. */
export function runCommit(file: SqliteFile, commit: PreparedCommit, quotas: Quotas, nowMs: number): CommitOutcome {
  const refusal = findFence(file, commit) ?? findDuplicate(file, commit) ?? findConflict(file, commit);
  if (refusal !== undefined) return refusal;
  const overdrawn = findOverdrawn(file, commit, quotas);
  if (overdrawn !== undefined) return overdrawn;
  if (commit.inbox !== undefined)
    file.run(
      'INSERT INTO inbox (subscription, event_id, at_ms) VALUES (?, ?, ?)',
      ...[commit.inbox.subscription, commit.inbox.eventId, nowMs],
    );
  const revisions = commit.writes.map((prepared) => write(file, prepared, nowMs));
  for (const event of commit.events) insertEvent(file, event, nowMs);
  for (const entry of commit.audit) insertAudit(file, entry, nowMs);
  return { kind: 'committed', revisions };
}

function findFence(file: SqliteFile, { fence }: PreparedCommit): CommitOutcome | undefined {
  if (fence === undefined) return undefined;
  const row = file.get('SELECT token, holder FROM leases WHERE name = ?', fence.name);
  const current = row === undefined ? 0 : integerOf(row, 'token');
  const isHeld = row !== undefined && row.holder !== '' && current === fence.token;
  return isHeld ? undefined : { kind: 'fenced', name: fence.name, token: fence.token, current };
}

function findDuplicate(file: SqliteFile, { inbox }: PreparedCommit): CommitOutcome | undefined {
  if (inbox === undefined) return undefined;
  const row = file.get(
    'SELECT 1 AS one FROM inbox WHERE subscription = ? AND event_id = ?',
    ...[inbox.subscription, inbox.eventId],
  );
  return row === undefined ? undefined : { kind: 'duplicate' };
}

function findConflict(file: SqliteFile, { writes }: PreparedCommit): CommitOutcome | undefined {
  for (const { write: change } of writes) {
    if (change.expectedRevision === undefined) continue;
    const found = revisionOf(file, change);
    if (found === change.expectedRevision) continue;
    const { documentKind, key, expectedRevision: expected } = change;
    return { kind: 'conflict', documentKind, key, expected, found };
  }
  return undefined;
}

function findOverdrawn(file: SqliteFile, { writes }: PreparedCommit, quotas: Quotas): CommitOutcome | undefined {
  const added = new Map<string, { documentKind: string; tenantId: string; count: number }>();
  for (const { write: change } of writes) {
    if (change.kind !== 'put' || !Object.hasOwn(quotas, change.documentKind)) continue;
    if (revisionOf(file, change) > 0) continue;
    const { documentKind, tenantId } = change;
    const name = JSON.stringify([documentKind, tenantId]);
    const entry = added.get(name) ?? { documentKind, tenantId, count: 0 };
    added.set(name, { ...entry, count: entry.count + 1 });
  }
  for (const { documentKind, tenantId, count } of added.values()) {
    const limit = quotas[documentKind] ?? 0;
    const row = file.get(
      'SELECT count(*) AS value FROM documents WHERE kind = ? AND tenant_id = ?',
      ...[documentKind, tenantId],
    );
    const present = row === undefined ? 0 : integerOf(row, 'value');
    if (present + count > limit) return { kind: 'quotaExceeded', documentKind, tenantId, limit };
  }
  return undefined;
}

function revisionOf(file: SqliteFile, { documentKind, key }: DocumentWrite): number {
  const row = file.get('SELECT revision FROM documents WHERE kind = ? AND key = ?', documentKind, key);
  return row === undefined ? 0 : integerOf(row, 'revision');
}

function write(file: SqliteFile, { write: change, text }: PreparedWrite, nowMs: number): number {
  switch (change.kind) {
    case 'check':
      return change.expectedRevision;
    case 'remove':
      file.run('DELETE FROM documents WHERE kind = ? AND key = ?', change.documentKind, change.key);
      return 0;
    case 'put': {
      const row = file.get(
        `INSERT INTO documents (kind, key, tenant_id, revision, value, created_at_ms, updated_at_ms, expires_at_ms)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?5, ?6)
         ON CONFLICT (kind, key) DO UPDATE SET tenant_id = ?3, revision = revision + 1, value = ?4,
           updated_at_ms = ?5, expires_at_ms = ?6
         RETURNING revision`,
        ...[change.documentKind, change.key, change.tenantId, text ?? 'null', nowMs, change.expiresAtMs ?? null],
      );
      return row === undefined ? 0 : integerOf(row, 'revision');
    }
  }
}

function insertEvent(file: SqliteFile, { event, text }: PreparedEvent, nowMs: number): void {
  const { topic, envelope, orderingKey, notBeforeMs } = event;
  file.run(
    `INSERT INTO events (topic, event_id, event_type, tenant_id, environment_id, correlation_id, trace_id, envelope,
       ordering_key, not_before_ms, committed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[topic, envelope.eventId, envelope.eventType, envelope.tenantId, envelope.environmentId ?? null],
    ...[envelope.correlationId, envelope.traceId, text, orderingKey ?? null, notBeforeMs ?? null, nowMs],
  );
}

function insertAudit(file: SqliteFile, entry: AuditDraft, nowMs: number): void {
  file.run(
    `INSERT INTO audit (actor, tenant_id, action, target, outcome, correlation_id, trace_id, event_id, detail, at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[entry.actor, entry.tenantId, entry.action, entry.target, entry.outcome, entry.correlationId ?? null],
    ...[entry.traceId ?? null, entry.eventId ?? null],
    ...[entry.detail === undefined ? null : JSON.stringify(entry.detail), nowMs],
  );
}
