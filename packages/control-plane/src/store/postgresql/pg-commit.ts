/**
 * One commit on PostgreSQL. Names of everything that it depends on are locked first, in one order, so commits on the
 * same data follow one another and no two wait for each other; what is then read is what others have committed.
 */
import type { AuditDraft, CommitOutcome, DocumentWrite, Quotas } from '../contract.ts';
import type { PreparedCommit, PreparedEvent, PreparedWrite } from '../prepare-commit.ts';
import type { PgRunner } from './pg-pool.ts';

/** Runs inside a transaction; whatever is not `committed` wrote nothing. `now` is SQL for milliseconds since the epoch. */
export async function runPgCommit(
  runner: PgRunner,
  commit: PreparedCommit,
  quotas: Quotas,
  now: string,
): Promise<CommitOutcome> {
  await lockNames(runner, namesOf(commit, quotas));
  const revisions = await readRevisions(runner, commit);
  const refusal =
    (await findFence(runner, commit)) ??
    (await findDuplicate(runner, commit)) ??
    findConflict(commit, revisions) ??
    (await findOverdrawn(runner, commit, quotas, revisions));
  if (refusal !== undefined) return refusal;
  if (commit.inbox !== undefined)
    await runner.query(`INSERT INTO inbox (subscription, event_id, at_ms) VALUES ($1, $2, ${now})`, [
      commit.inbox.subscription,
      commit.inbox.eventId,
    ]);
  await writeDocuments(runner, commit.writes, now);
  await insertAudit(runner, commit.audit, now);
  await insertEvents(runner, commit.events, now);
  return {
    kind: 'committed',
    revisions: commit.writes.map(({ write }) => {
      if (write.kind === 'remove') return 0;
      const found = revisions.get(nameOf(write)) ?? 0;
      return write.kind === 'put' ? found + 1 : found;
    }),
  };
}

/** What keeps two events from being read before an earlier one is there. */
const eventsLock = 'events';

function namesOf({ inbox, writes }: PreparedCommit, quotas: Quotas): readonly string[] {
  const names = writes.map(({ write }) => nameOf(write));
  if (inbox !== undefined) names.push(JSON.stringify(['inbox', inbox.subscription, inbox.eventId]));
  for (const { write } of writes)
    if (write.kind === 'put' && Object.hasOwn(quotas, write.documentKind))
      names.push(JSON.stringify(['quota', write.documentKind, write.tenantId]));
  return names;
}

function nameOf({ documentKind, key }: DocumentWrite): string {
  return JSON.stringify(['document', documentKind, key]);
}

/** Until the transaction ends. The order is that of the hashes, the same for everybody. */
async function lockNames(runner: PgRunner, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await runner.query(
    `SELECT pg_advisory_xact_lock(hash) FROM (
       SELECT DISTINCT hashtextextended(current_schema() || name, 0) AS hash FROM unnest($1::text[]) AS name
       ORDER BY hash) AS hashes`,
    [names],
  );
}

async function readRevisions(runner: PgRunner, { writes }: PreparedCommit): Promise<ReadonlyMap<string, number>> {
  if (writes.length === 0) return new Map();
  const { rows } = await runner.query(
    `SELECT d.kind, d.key, d.revision FROM documents d
     JOIN unnest($1::text[], $2::text[]) AS w (kind, key) ON d.kind = w.kind AND d.key = w.key`,
    [writes.map(({ write }) => write.documentKind), writes.map(({ write }) => write.key)],
  );
  return new Map(
    rows.map(({ kind, key, revision }) => [JSON.stringify(['document', kind, key]), Number(revision)] as const),
  );
}

/** The row is locked against whoever would take the lease meanwhile. */
async function findFence(runner: PgRunner, { fence }: PreparedCommit): Promise<CommitOutcome | undefined> {
  if (fence === undefined) return undefined;
  const { rows } = await runner.query('SELECT token, holder FROM leases WHERE name = $1 FOR SHARE', [fence.name]);
  const [row] = rows;
  const current = row === undefined ? 0 : Number(row.token);
  const isHeld = row !== undefined && row.holder !== '' && current === fence.token;
  return isHeld ? undefined : { kind: 'fenced', name: fence.name, token: fence.token, current };
}

async function findDuplicate(runner: PgRunner, { inbox }: PreparedCommit): Promise<CommitOutcome | undefined> {
  if (inbox === undefined) return undefined;
  const { rows } = await runner.query('SELECT 1 FROM inbox WHERE subscription = $1 AND event_id = $2', [
    inbox.subscription,
    inbox.eventId,
  ]);
  return rows.length === 0 ? undefined : { kind: 'duplicate' };
}

function findConflict({ writes }: PreparedCommit, revisions: ReadonlyMap<string, number>): CommitOutcome | undefined {
  for (const { write } of writes) {
    const found = revisions.get(nameOf(write)) ?? 0;
    const { documentKind, key, expectedRevision: expected } = write;
    if (expected !== undefined && found !== expected) return { kind: 'conflict', documentKind, key, expected, found };
  }
  return undefined;
}

async function findOverdrawn(
  runner: PgRunner,
  { writes }: PreparedCommit,
  quotas: Quotas,
  revisions: ReadonlyMap<string, number>,
): Promise<CommitOutcome | undefined> {
  const added = new Map<string, { documentKind: string; tenantId: string; count: number }>();
  for (const { write } of writes) {
    if (write.kind !== 'put' || !Object.hasOwn(quotas, write.documentKind) || revisions.has(nameOf(write))) continue;
    const { documentKind, tenantId } = write;
    const name = JSON.stringify([documentKind, tenantId]);
    added.set(name, { documentKind, tenantId, count: (added.get(name)?.count ?? 0) + 1 });
  }
  for (const { documentKind, tenantId, count } of added.values()) {
    const limit = quotas[documentKind] ?? 0;
    const { rows } = await runner.query('SELECT count(*) AS value FROM documents WHERE kind = $1 AND tenant_id = $2', [
      documentKind,
      tenantId,
    ]);
    if (Number(rows[0]?.value) + count > limit) return { kind: 'quotaExceeded', documentKind, tenantId, limit };
  }
  return undefined;
}

async function writeDocuments(runner: PgRunner, writes: readonly PreparedWrite[], now: string): Promise<void> {
  const removed = writes.flatMap(({ write }) => (write.kind === 'remove' ? [write] : []));
  if (removed.length > 0)
    await runner.query(
      `DELETE FROM documents d USING unnest($1::text[], $2::text[]) AS w (kind, key)
       WHERE d.kind = w.kind AND d.key = w.key`,
      [removed.map(({ documentKind }) => documentKind), removed.map(({ key }) => key)],
    );
  const puts = writes.flatMap(({ write, text }) => (write.kind === 'put' ? [{ ...write, text }] : []));
  if (puts.length === 0) return;
  await runner.query(
    `INSERT INTO documents (kind, key, tenant_id, revision, value, created_at_ms, updated_at_ms, expires_at_ms)
     SELECT kind, key, tenant_id, 1, value, ${now}, ${now}, expires_at_ms
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
       AS w (kind, key, tenant_id, value, expires_at_ms)
     ON CONFLICT (kind, key) DO UPDATE SET tenant_id = excluded.tenant_id, revision = documents.revision + 1,
       value = excluded.value, updated_at_ms = excluded.updated_at_ms, expires_at_ms = excluded.expires_at_ms`,
    [
      puts.map(({ documentKind }) => documentKind),
      puts.map(({ key }) => key),
      puts.map(({ tenantId }) => tenantId),
      puts.map(({ text }) => text),
      puts.map(({ expiresAtMs }) => expiresAtMs ?? null),
    ],
  );
}

async function insertEvents(runner: PgRunner, events: readonly PreparedEvent[], now: string): Promise<void> {
  if (events.length === 0) return;
  // Numbers are given out before commits are seen. One after the other, from here to the commit, they agree.
  await lockNames(runner, [eventsLock]);
  await runner.query(
    `INSERT INTO events (topic, event_id, event_type, tenant_id, environment_id, correlation_id, trace_id, envelope,
       ordering_key, not_before_ms, committed_at_ms)
     SELECT topic, event_id, event_type, tenant_id, environment_id, correlation_id, trace_id, envelope, ordering_key,
       not_before_ms, ${now}
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::bigint[]) WITH ORDINALITY
       AS e (topic, event_id, event_type, tenant_id, environment_id, correlation_id, trace_id, envelope, ordering_key,
         not_before_ms, position)
     ORDER BY position`,
    [
      events.map(({ event }) => event.topic),
      events.map(({ event }) => event.envelope.eventId),
      events.map(({ event }) => event.envelope.eventType),
      events.map(({ event }) => event.envelope.tenantId),
      events.map(({ event }) => event.envelope.environmentId ?? null),
      events.map(({ event }) => event.envelope.correlationId),
      events.map(({ event }) => event.envelope.traceId),
      events.map(({ text }) => text),
      events.map(({ event }) => event.orderingKey ?? null),
      events.map(({ event }) => event.notBeforeMs ?? null),
    ],
  );
}

async function insertAudit(runner: PgRunner, audit: readonly AuditDraft[], now: string): Promise<void> {
  for (const entry of audit)
    await runner.query(
      `INSERT INTO audit (actor, tenant_id, action, target, outcome, correlation_id, trace_id, event_id, detail, at_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ${now})`,
      [
        ...[entry.actor, entry.tenantId, entry.action, entry.target, entry.outcome],
        ...[entry.correlationId ?? null, entry.traceId ?? null, entry.eventId ?? null],
        entry.detail === undefined ? null : JSON.stringify(entry.detail),
      ],
    );
}
