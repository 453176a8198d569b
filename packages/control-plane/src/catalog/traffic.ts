/** How the requests of an app are shared among its versions, as revisions with a history. */
import { type Weight, weightsSchema } from '@switchyard/protocol/control-api';
import type { Traffic, TrafficReason, TrafficState } from './contract.ts';
import { trafficHistoryLimit } from './limits.ts';
import { integerOf, type Row, textOf } from './row.ts';
import { type CatalogParts, check, refuse, requireRevision, write } from './writer.ts';

type Parts = Pick<CatalogParts, 'database' | 'changes' | 'clock'>;

export function createTraffic(parts: Parts): Traffic {
  return {
    get: (applicationId) => presentOf(parts, applicationId),
    history: (applicationId) => historyOf(parts, applicationId),
    set: (applicationId, { weights, reason, revision }) =>
      write(parts, applicationId, () => {
        requireCurrent(parts, applicationId, revision);
        return setWeights(parts, applicationId, weights, reason);
      }),
    check: (applicationId, { weights, revision }) =>
      check(parts, () => {
        requireCurrent(parts, applicationId, revision);
        requireSound(parts, applicationId, weights);
        const value = presentOf(parts, applicationId);
        return { value, isSame: textOfWeights(value.weights) === textOfWeights(weights) };
      }),
    rollbackTarget: (applicationId) => rollbackTarget(parts, applicationId),
  };
}

/** The percentage that a version has at present. */
export function weightOf(parts: Pick<Parts, 'database'>, applicationId: string, codeVersion: string): number {
  const { weights } = presentOf(parts, applicationId);
  return weights.find((weight) => weight.codeVersion === codeVersion)?.weight ?? 0;
}

const noTraffic: TrafficState = { revision: 0, weights: [], setAtMs: 0, reason: 'deployment' };

function presentOf(parts: Pick<Parts, 'database'>, applicationId: string): TrafficState {
  const row = parts.database.get(
    'SELECT * FROM traffic WHERE application_id = ? ORDER BY revision DESC LIMIT 1',
    applicationId,
  );
  return row === undefined ? noTraffic : toState(row);
}

function historyOf(parts: Pick<Parts, 'database'>, applicationId: string): readonly TrafficState[] {
  return parts.database
    .all('SELECT * FROM traffic WHERE application_id = ? ORDER BY revision DESC', applicationId)
    .map(toState);
}

function requireCurrent(parts: Parts, applicationId: string, expected: number | undefined): void {
  const row = parts.database.get('SELECT 1 FROM applications WHERE application_id = ?', applicationId);
  if (row === undefined) refuse('APPLICATION_UNKNOWN', { applicationId });
  requireRevision('weights', applicationId, presentOf(parts, applicationId).revision, expected);
}

function setWeights(
  parts: Parts,
  applicationId: string,
  weights: readonly Weight[],
  reason: TrafficReason,
): { value: TrafficState; changed: boolean } {
  requireSound(parts, applicationId, weights);
  const present = presentOf(parts, applicationId);
  if (textOfWeights(present.weights) === textOfWeights(weights)) return { value: present, changed: false };
  const revision = present.revision + 1;
  parts.database.run(
    'INSERT INTO traffic (application_id, revision, weights, set_at_ms, reason) VALUES (?, ?, ?, ?, ?)',
    ...[applicationId, revision, JSON.stringify(weights), parts.clock.now(), reason],
  );
  parts.database.run(
    'DELETE FROM traffic WHERE application_id = ? AND revision <= ?',
    applicationId,
    revision - trafficHistoryLimit,
  );
  return { value: presentOf(parts, applicationId), changed: true };
}

function requireSound(parts: Parts, applicationId: string, weights: readonly Weight[]): void {
  const reading = weightsSchema.safeParse(weights);
  if (!reading.success) {
    const { message, path } = reading.error.issues[0] ?? { message: 'they are not understood', path: [] };
    refuse('WEIGHTS_INVALID', { applicationId, reason: `${path.join('.')} ${message}`.trim() });
  }
  for (const { codeVersion } of weights) requireIndexed(parts, applicationId, codeVersion);
}

function requireIndexed(parts: Parts, applicationId: string, codeVersion: string): void {
  const state = stateOf(parts, applicationId, codeVersion);
  if (state === undefined) refuse('VERSION_UNKNOWN', { applicationId, codeVersion });
  if (state !== 'indexed') refuse('VERSION_NOT_READY', { applicationId, codeVersion, state });
}

function stateOf(parts: Parts, applicationId: string, codeVersion: string): string | undefined {
  const row = parts.database.get(
    'SELECT state FROM versions WHERE application_id = ? AND code_version = ?',
    applicationId,
    codeVersion,
  );
  return row && textOf(row, 'state');
}

/** The version of the newest revision in which one had everything, while the present weights are others. */
function rollbackTarget(parts: Parts, applicationId: string): string | undefined {
  const [present, ...earlier] = historyOf(parts, applicationId);
  if (present === undefined) return undefined;
  const candidates = earlier.flatMap(({ weights }) => soleVersionOf(weights) ?? []);
  const current = soleVersionOf(present.weights);
  return candidates.find(
    (codeVersion) => codeVersion !== current && stateOf(parts, applicationId, codeVersion) === 'indexed',
  );
}

function soleVersionOf(weights: readonly Weight[]): string | undefined {
  return weights.find(({ weight }) => weight === 100)?.codeVersion;
}

/** Equal for equal weights, whatever their order. */
function textOfWeights(weights: readonly Weight[]): string {
  return JSON.stringify(weights.map(({ codeVersion, weight }) => `${codeVersion} ${weight}`).sort());
}

function toState(row: Row): TrafficState {
  return {
    revision: integerOf(row, 'revision'),
    weights: JSON.parse(textOf(row, 'weights')),
    setAtMs: integerOf(row, 'set_at_ms'),
    reason: textOf(row, 'reason') as TrafficReason,
  };
}
