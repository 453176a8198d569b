/** The versions of apps: which packages there are, and what indexing made of them. */
import type { Stack } from '@switchyard/model';
import { toCodeVersion } from '@switchyard/protocol/control-api';
import { isSameStack, stackOf } from './applications.ts';
import type { Version, VersionStatus, Versions } from './contract.ts';
import { versionHistoryLimit } from './limits.ts';
import { bytesOf, integerOf, optionalTextOf, type Row, textOf } from './row.ts';
import { weightOf } from './traffic.ts';
import { type CatalogParts, refuse, write } from './writer.ts';

type Parts = Pick<CatalogParts, 'database' | 'changes'>;

export function createVersions(parts: Parts): Versions {
  const { database } = parts;
  const change = (applicationId: string, count: number): boolean => {
    if (count > 0) parts.changes.announce(applicationId);
    return count > 0;
  };
  return {
    get: (applicationId, codeVersion) => getVersion(parts, applicationId, codeVersion),
    list: (applicationId) =>
      database
        .all('SELECT * FROM versions WHERE application_id = ? ORDER BY sequence DESC', applicationId)
        .map(toVersion),
    markIndexed(applicationId, codeVersion, { index, hostJson, metadataVersion, settingsRevision }) {
      const sql = `UPDATE versions SET state = 'indexed', function_index = ?, host_json = ?, metadata_version = ?,
        settings_revision = ?, reason = NULL WHERE application_id = ? AND code_version = ?`;
      const values = [index, hostJson ?? null, metadataVersion, settingsRevision] as const;
      return change(applicationId, database.run(sql, ...values, applicationId, codeVersion));
    },
    markFailed(applicationId, codeVersion, reason) {
      const sql = `UPDATE versions SET state = 'failed', reason = ? WHERE application_id = ? AND code_version = ?
        AND state = 'pending'`;
      return change(applicationId, database.run(sql, reason, applicationId, codeVersion));
    },
    setMetadataVersion(applicationId, codeVersion, { metadataVersion, settingsRevision }) {
      const sql = `UPDATE versions SET metadata_version = ?, settings_revision = ?
        WHERE application_id = ? AND code_version = ? AND state = 'indexed'`;
      return change(applicationId, database.run(sql, metadataVersion, settingsRevision, applicationId, codeVersion));
    },
    remove: (applicationId, codeVersion) =>
      write(parts, applicationId, () => {
        const weight = weightOf(parts, applicationId, codeVersion);
        if (weight > 0) refuse('VERSION_IN_USE', { applicationId, codeVersion, weight });
        const sql = 'DELETE FROM versions WHERE application_id = ? AND code_version = ?';
        const count = database.run(sql, applicationId, codeVersion);
        if (count === 0) refuse('VERSION_UNKNOWN', { applicationId, codeVersion });
        return { value: undefined, changed: true };
      }),
    referencedPackages: () =>
      new Set(database.all('SELECT DISTINCT sha256 FROM versions').map((row) => textOf(row, 'sha256'))),
  };
}

export function getVersion({ database }: Parts, applicationId: string, codeVersion: string): Version | undefined {
  const row = database.get(
    'SELECT * FROM versions WHERE application_id = ? AND code_version = ?',
    applicationId,
    codeVersion,
  );
  return row && toVersion(row);
}

/**
 * Records the version of a deployment, inside the deployment's transaction: pending when it is new, failed before, or is
 * to run on another stack now; else as it is. It becomes the newest, and the oldest one without traffic may go.
 */
export function admitVersion(
  parts: Parts,
  version: Pick<Version, 'applicationId' | 'sha256' | 'message' | 'createdAtMs'> & { readonly stack: Stack },
): string {
  const { applicationId, sha256, stack } = version;
  const codeVersion = toCodeVersion(sha256);
  const before = getVersion(parts, applicationId, codeVersion);
  if (before !== undefined && before.sha256 !== sha256) refuse('VERSION_COLLISION', { applicationId, codeVersion });
  const isKept = before?.status.kind === 'indexed' && isSameStack(before.stack, stack);
  const weight = weightOf(parts, applicationId, codeVersion);
  if (!isKept && weight > 0) refuse('VERSION_IN_USE', { applicationId, codeVersion, weight });
  parts.database.run(
    `INSERT INTO versions (application_id, code_version, sequence, sha256, runtime, version, architecture, message,
       created_at_ms, state)
     SELECT ?, ?, COALESCE(MAX(sequence), 0) + 1, ?, ?, ?, ?, ?, ?, 'pending' FROM versions WHERE application_id = ?
     ON CONFLICT (application_id, code_version) DO UPDATE SET sequence = excluded.sequence, runtime = excluded.runtime,
       version = excluded.version, architecture = excluded.architecture, message = excluded.message, reason = NULL,
       state = CASE WHEN ? THEN state ELSE 'pending' END`,
    ...[applicationId, codeVersion, sha256, stack.runtime, stack.version, stack.architecture],
    ...[version.message, version.createdAtMs, applicationId, Number(isKept)],
  );
  forgetOldest(parts, applicationId);
  return codeVersion;
}

function forgetOldest(parts: Parts, applicationId: string): void {
  const old = parts.database
    .all('SELECT code_version FROM versions WHERE application_id = ? ORDER BY sequence DESC', applicationId)
    .slice(versionHistoryLimit);
  for (const row of old) {
    const codeVersion = textOf(row, 'code_version');
    if (weightOf(parts, applicationId, codeVersion) > 0) continue;
    parts.database.run(
      'DELETE FROM versions WHERE application_id = ? AND code_version = ?',
      applicationId,
      codeVersion,
    );
  }
}

function toVersion(row: Row): Version {
  return {
    applicationId: textOf(row, 'application_id'),
    codeVersion: textOf(row, 'code_version'),
    sha256: textOf(row, 'sha256'),
    stack: stackOf(row),
    message: textOf(row, 'message'),
    createdAtMs: integerOf(row, 'created_at_ms'),
    status: toStatus(row),
  };
}

function toStatus(row: Row): VersionStatus {
  const state = textOf(row, 'state');
  if (state === 'failed') return { kind: 'failed', reason: textOf(row, 'reason') };
  if (state === 'pending') return { kind: 'pending' };
  return {
    kind: 'indexed',
    index: bytesOf(row, 'function_index'),
    hostJson: optionalTextOf(row, 'host_json'),
    metadataVersion: textOf(row, 'metadata_version'),
    settingsRevision: integerOf(row, 'settings_revision'),
  };
}
